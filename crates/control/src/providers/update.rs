use gatewarden_access::{Caller, Permit, actions};
use gatewarden_credentials::Sealed;
use gatewarden_store::{Giving, OrgTx};
use gatewarden_types::{BaseUrl, CredentialRef, Id, Name, Organization, Provider, Seq};

use super::{SecretChange, address_is_permitted, name_is_free, secret};
use crate::{App, Changed, Error, check_seen, or_refuse};

/// Changes a provider. What is none stays.
#[derive(Debug, Clone)]
pub struct UpdateProvider {
    /// Which.
    pub provider: Id<Provider>,
    /// What people call it.
    pub name: Option<Name>,
    /// Where it is. Another scheme, host or port takes the secret again.
    pub base_url: Option<BaseUrl>,
    /// What becomes of its secret.
    pub secret: SecretChange,
    /// The version its editor saw.
    pub seen: Option<Seq>,
}

/// Changes the provider. A secret that is replaced or erased is gone for good.
///
/// # Errors
/// When the caller may not, the provider changed meanwhile, the name is taken, the address may not be called, or the
/// stored secret would be sent to another place than it was given for.
pub async fn update(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: UpdateProvider,
) -> Result<Changed<Provider>, Error> {
    check_address(app, caller, organization, &command).await?;
    let sealed = match &command.secret {
        SecretChange::Replace(text) => Some(secret::seal(app, organization, command.provider, text)?),
        SecretChange::Keep | SecretChange::Erase => None,
    };
    let mut tx = app.store.change(caller, organization).await?;
    let asked = tx.permit_on::<actions::UpdateProvider>(command.provider, |_| Giving::Nothing).await;
    let (permit, row) = or_refuse!(tx, asked);
    check_seen(command.seen, row.version)?;
    let provider = changed(&row.record, &command, sealed.as_ref())?;
    if provider == row.record {
        return Ok(Changed { value: provider, version: row.version });
    }
    name_is_free(&tx, &permit, &provider.name, Some(provider.id)).await?;
    tx.put(&permit, &provider).await?;
    replace_secret(&mut tx, &permit, row.record.credential, provider.credential, sealed).await?;
    let committed = tx.commit(permit).await?;
    Ok(Changed { value: provider, version: committed.seq })
}

/// Judges a new address, for one who may change the provider: nothing is looked up for others.
async fn check_address(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: &UpdateProvider,
) -> Result<(), Error> {
    let Some(base_url) = &command.base_url else { return Ok(()) };
    let read = app.store.read(caller, organization).await?;
    let may = read.permit_on::<actions::UpdateProvider>(command.provider, |_| Giving::Nothing).await;
    drop(read);
    match may {
        Ok((_, row)) if row.record.base_url != *base_url => address_is_permitted(app, base_url).await,
        _ => Ok(()),
    }
}

/// The provider as the command leaves it.
fn changed(before: &Provider, command: &UpdateProvider, sealed: Option<&Sealed>) -> Result<Provider, Error> {
    let base_url = command.base_url.clone().unwrap_or_else(|| before.base_url.clone());
    let kept = matches!(command.secret, SecretChange::Keep) && before.credential.is_some();
    if kept && base_url.origin() != before.base_url.origin() {
        return Err(Error::field(
            "secret",
            "The address leads to another server now. Give the secret again, so that the stored one is not sent there.",
        ));
    }
    let credential = match command.secret {
        SecretChange::Keep => before.credential,
        SecretChange::Replace(_) | SecretChange::Erase => sealed.map(Sealed::reference),
    };
    let name = command.name.clone().unwrap_or_else(|| before.name.clone());
    Ok(Provider { name, base_url, credential, ..before.clone() })
}

async fn replace_secret(
    tx: &mut OrgTx,
    permit: &Permit<actions::UpdateProvider>,
    before: Option<CredentialRef>,
    now: Option<CredentialRef>,
    sealed: Option<Sealed>,
) -> Result<(), Error> {
    if before == now {
        return Ok(());
    }
    if let Some(sealed) = sealed {
        tx.put_credential(permit, sealed.reference(), sealed.as_bytes().to_vec()).await?;
    }
    if let Some(before) = before {
        tx.erase_credential(permit, before).await?;
    }
    Ok(())
}
