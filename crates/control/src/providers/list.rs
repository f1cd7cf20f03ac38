use gatewarden_access::{Caller, Facts, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Model, ModelState, Organization, Provider, Timestamp, Versioned};

use crate::{App, Error};

/// A provider and what comes from it. Whether it has a secret is `record.credential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProvider {
    /// The policy row.
    pub provider: Versioned<Provider>,
    /// How many approved models it runs.
    pub models: usize,
    /// When it was last changed.
    pub changed: Timestamp,
}

/// Every provider, in the order they were added, and what the caller may do.
///
/// # Errors
/// When the caller may not see providers.
pub async fn list(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
) -> Result<(Vec<ListedProvider>, Facts), Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ListProviders>()?;
    let models = read.list::<_, Model>(&permit).await?;
    let count = |id| {
        let runs = |model: &Model| model.provider == id && model.state == ModelState::Approved;
        models.iter().filter(|row| runs(&row.record)).count()
    };
    let providers = read.list::<_, Provider>(&permit).await?;
    let since = read.since(&permit, &providers).await?;
    let listed = |provider: Versioned<Provider>| ListedProvider {
        models: count(provider.record.id),
        changed: since.get(&provider.version).copied().unwrap_or_else(|| provider.record.id.made_at()),
        provider,
    };
    Ok((providers.into_iter().map(listed).collect(), read.facts().clone()))
}

/// One provider, and what the caller may do.
///
/// # Errors
/// When there is none that the caller may see.
pub async fn read(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    provider: Id<Provider>,
) -> Result<(Versioned<Provider>, Facts), Error> {
    let read = app.store.read(caller, organization).await?;
    let (_permit, row) = read.permit_on::<actions::ReadProvider>(provider, |_| Giving::Nothing).await?;
    Ok((row, read.facts().clone()))
}
