use gatewarden_access::{Caller, actions};
use gatewarden_credentials::{Sealed, Secret};
use gatewarden_types::{BaseUrl, Dialect, Id, Name, Organization, Provider};

use super::{address_is_permitted, name_is_free, secret};
use crate::{App, Changed, Error, Once, or_refuse};

/// Adds a provider.
#[derive(Debug, Clone)]
pub struct AddProvider {
    /// What people call it; no other provider bears the name.
    pub name: Name,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Where it is.
    pub base_url: BaseUrl,
    /// What opens it, if it wants a secret.
    pub secret: Option<Secret<String>>,
    /// The request's `Idempotency-Key`.
    pub once: Option<Once>,
}

/// Adds the provider; its secret is not shown again.
///
/// # Errors
/// When the caller may not, the name is taken, or the address may not be called.
pub async fn add(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: AddProvider,
) -> Result<Changed<Provider>, Error> {
    // Nothing is looked up for one who may not: the refusal itself is the transaction's.
    if app.store.read(caller, organization).await?.permit::<actions::AddProvider>().is_ok() {
        address_is_permitted(app, &command.base_url).await?;
    }
    let id = app.id();
    let sealed = command.secret.as_ref().map(|text| secret::seal(app, organization, id, text)).transpose()?;
    let mut tx = app.store.change(caller, organization).await?;
    let permit = or_refuse!(tx, tx.permit::<actions::AddProvider>());
    let once = command.once.as_ref();
    if let Some(before) = Once::before::<_, Provider>(once, &tx, &permit).await? {
        let row = tx.get(&permit, before).await?.ok_or(Error::Reused)?;
        return Ok(Changed { value: row.record, version: row.version });
    }
    name_is_free(&tx, &permit, &command.name, None).await?;
    let AddProvider { name, dialect, base_url, .. } = command;
    let credential = sealed.as_ref().map(Sealed::reference);
    let provider = Provider { id, name, dialect, base_url, credential };
    tx.put(&permit, &provider).await?;
    if let Some(sealed) = sealed {
        tx.put_credential(&permit, sealed.reference(), sealed.as_bytes().to_vec()).await?;
    }
    Once::keep(command.once.as_ref(), &mut tx, &permit, id).await?;
    let committed = tx.commit(permit).await?;
    Ok(Changed { value: provider, version: committed.seq })
}
