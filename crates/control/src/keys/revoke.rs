use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Key, KeyState, Organization, Seq};

use crate::{App, Changed, Error, check_seen, or_refuse};

/// Revokes a key for good. One that is revoked already stays as it is.
///
/// # Errors
/// When the caller may not, or the key changed meanwhile.
pub async fn revoke(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    key: Id<Key>,
    seen: Option<Seq>,
) -> Result<Changed<Key>, Error> {
    let mut tx = app.store.change(caller, organization).await?;
    let (permit, row) = or_refuse!(tx, tx.permit_on::<actions::RevokeKey>(key, |_| Giving::Nothing).await);
    if row.record.state == KeyState::Revoked {
        return Ok(Changed { value: row.record, version: row.version });
    }
    check_seen(seen, row.version)?;
    let key = Key { state: KeyState::Revoked, ..row.record };
    tx.put(&permit, &key).await?;
    let committed = tx.commit(permit).await?;
    Ok(Changed { value: key, version: committed.seq })
}
