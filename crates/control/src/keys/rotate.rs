use gatewarden_access::{Caller, actions};
use gatewarden_credentials::{ApiKey, Secret};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Key, KeyState, Organization, Seq};

use crate::{App, Changed, Error, check_seen, or_refuse};

/// A key with a new text.
#[derive(Debug)]
pub struct RotatedKey {
    /// The key.
    pub key: Changed<Key>,
    /// Its text, which nobody sees again.
    pub secret: Secret<String>,
}

/// Gives a key a new text; the old one is refused from now on. Who rotates a key has it, so it takes the power to
/// make it.
///
/// # Errors
/// When the caller may not, the key changed meanwhile, or it does not work any more.
pub async fn rotate(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    key: Id<Key>,
    seen: Option<Seq>,
) -> Result<RotatedKey, Error> {
    let text = ApiKey::generate(key, &app.entropy);
    let mut tx = app.store.change(caller, organization).await?;
    let (permit, row) = or_refuse!(tx, tx.permit_on::<actions::RotateKey>(key, Giving::of_key).await);
    check_seen(seen, row.version)?;
    if row.record.state == KeyState::Revoked {
        return Err(Error::Rule("This key was revoked and stays so. Create another."));
    }
    if !row.record.works(tx.now()) {
        return Err(Error::Rule("This key has expired and stays so. Create another."));
    }
    let key = Key { verifier: text.verifier(), ..row.record };
    tx.put(&permit, &key).await?;
    let committed = tx.commit(permit).await?;
    Ok(RotatedKey { key: Changed { value: key, version: committed.seq }, secret: text.text() })
}
