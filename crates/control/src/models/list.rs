use gatewarden_access::{Caller, Facts, actions};
use gatewarden_store::{OrgRead, StoreError};
use gatewarden_types::{
    Id, Key, KeyState, Model, ModelSet, ModelState, Name, Organization, Provider, Timestamp, Versioned,
};

use crate::{App, Error};

/// An approved model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedModel {
    /// The policy row.
    pub model: Versioned<Model>,
    /// Since when it is approved.
    pub since: Timestamp,
    /// The provider's name.
    pub provider: Name,
    /// How many active keys that the caller sees name it alone, and could call nothing without it.
    pub keys: usize,
}

/// Every approved model in the order of the names, and what the caller may do.
///
/// # Errors
/// When the caller may not see models.
pub async fn list(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
) -> Result<(Vec<ListedModel>, Facts), Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ListModels>()?;
    let providers: Vec<Versioned<Provider>> = read.list(&permit).await?;
    let named_alone = named_alone(&read).await?;
    let mut models = read.list::<_, Model>(&permit).await?;
    models.retain(|model| model.record.state == ModelState::Approved);
    let since = read.since(&permit, &models).await?;
    let mut listed = Vec::new();
    for model in models {
        let provider = providers.iter().find(|row| row.record.id == model.record.provider);
        let provider = provider.ok_or_else(|| Error::Internal(format!("{} has no provider", model.record.id)))?;
        let keys = named_alone.iter().filter(|id| **id == model.record.id).count();
        let since = since.get(&model.version).copied().unwrap_or_else(|| model.record.id.made_at());
        listed.push(ListedModel { provider: provider.record.name.clone(), since, keys, model });
    }
    listed.sort_by(|a, b| a.model.record.name.cmp(&b.model.record.name));
    Ok((listed, read.facts().clone()))
}

/// For each active key that names one model alone, that model.
async fn named_alone(read: &OrgRead) -> Result<Vec<Id<Model>>, StoreError> {
    let Ok(permit) = read.permit::<actions::ListKeys>() else { return Ok(Vec::new()) };
    let keys = read.list::<_, Key>(&permit).await?;
    let only = |row: Versioned<Key>| match (row.record.state, row.record.models) {
        (KeyState::Active, ModelSet::Only(named)) if named.len() == 1 => named.first().copied(),
        _ => None,
    };
    Ok(keys.into_iter().filter_map(only).collect())
}
