use gatewarden_access::{Caller, Permit, Reads, actions};
use gatewarden_store::{Giving, OrgRead};
use gatewarden_types::{Id, Key, KeyState, Model, ModelSet, ModelState, Organization, Provider, Seq};

use crate::{App, Error, check_seen, or_refuse};

/// What goes when a provider is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalEffect {
    /// The approved models that it runs.
    pub models: Vec<Model>,
    /// How many active keys name one of them.
    pub keys: usize,
}

/// What removing the provider would take with it, for one who may remove it.
///
/// # Errors
/// When the caller may not.
pub async fn removal_effect(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    provider: Id<Provider>,
) -> Result<RemovalEffect, Error> {
    let read = app.store.read(caller, organization).await?;
    let (permit, _row) = read.permit_on::<actions::RemoveProvider>(provider, |_| Giving::Nothing).await?;
    let mut models = models_of(&read, &permit, provider).await?;
    models.retain(|model| model.state == ModelState::Approved);
    let names = |set: &ModelSet| match set {
        ModelSet::All => false,
        ModelSet::Only(named) => models.iter().any(|model| named.contains(&model.id)),
    };
    let keys = read.list::<_, Key>(&permit).await?;
    let keys = keys.iter().filter(|row| row.record.state == KeyState::Active && names(&row.record.models)).count();
    Ok(RemovalEffect { models, keys })
}

/// Removes a provider with its models and its secret, in one entry.
///
/// # Errors
/// When the caller may not, or the provider changed meanwhile.
pub async fn remove(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    provider: Id<Provider>,
    seen: Option<Seq>,
) -> Result<(), Error> {
    let mut tx = app.store.change(caller, organization).await?;
    let asked = tx.permit_on::<actions::RemoveProvider>(provider, |_| Giving::Nothing).await;
    let (permit, row) = or_refuse!(tx, asked);
    check_seen(seen, row.version)?;
    for model in models_of(&tx, &permit, provider).await? {
        tx.remove(&permit, model.id).await?;
    }
    tx.remove(&permit, provider).await?;
    if let Some(credential) = row.record.credential {
        tx.erase_credential(&permit, credential).await?;
    }
    tx.commit(permit).await?;
    Ok(())
}

async fn models_of<A: Reads<Model>>(
    read: &OrgRead,
    permit: &Permit<A>,
    provider: Id<Provider>,
) -> Result<Vec<Model>, Error> {
    let models = read.list::<A, Model>(permit).await?;
    Ok(models.into_iter().map(|row| row.record).filter(|model| model.provider == provider).collect())
}
