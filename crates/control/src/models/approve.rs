use gatewarden_access::{Caller, actions};
use gatewarden_types::{Id, Model, ModelName, ModelState, Organization, Provider, Versioned};

use crate::{App, Changed, Error, Once, or_refuse};

/// Approves a model.
#[derive(Debug, Clone)]
pub struct ApproveModel {
    /// The name callers use; no other approved model bears it.
    pub name: ModelName,
    /// Who runs it.
    pub provider: Id<Provider>,
    /// The provider's own name for it.
    pub upstream: ModelName,
    /// The request's `Idempotency-Key`.
    pub once: Option<Once>,
}

/// Approves the model. One that was withdrawn and is the same in everything is approved again, and keys that name it
/// may call it again; one that only bears the same name is another model.
///
/// # Errors
/// When the caller may not, the name is taken, or there is no such provider.
pub async fn approve(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: ApproveModel,
) -> Result<Changed<Model>, Error> {
    let mut tx = app.store.change(caller, organization).await?;
    let permit = or_refuse!(tx, tx.permit::<actions::ApproveModel>());
    let ApproveModel { name, provider, upstream, once } = command;
    if let Some(before) = Once::before::<_, Model>(once.as_ref(), &tx, &permit).await? {
        let row = tx.get(&permit, before).await?.ok_or(Error::Reused)?;
        return Ok(Changed { value: row.record, version: row.version });
    }
    if tx.get::<_, Provider>(&permit, provider).await?.is_none() {
        return Err(Error::field("provider", "There is no such provider. Choose another, or add it first."));
    }
    let namesakes: Vec<Versioned<Model>> =
        tx.list(&permit).await?.into_iter().filter(|row: &Versioned<Model>| row.record.name == name).collect();
    if namesakes.iter().any(|row| row.record.state == ModelState::Approved) {
        return Err(Error::field(
            "name",
            "An approved model has this name already. Choose another, or withdraw that one.",
        ));
    }
    let same = namesakes.iter().find(|row| row.record.provider == provider && row.record.upstream == upstream);
    let id = same.map_or_else(|| app.id(), |row| row.record.id);
    let model = Model { id, name, provider, upstream, state: ModelState::Approved };
    tx.put(&permit, &model).await?;
    Once::keep(once.as_ref(), &mut tx, &permit, id).await?;
    let committed = tx.commit(permit).await?;
    Ok(Changed { value: model, version: committed.seq })
}
