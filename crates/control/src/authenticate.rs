//! Making out who holds a key. What they may do is decided by each use case.

use gatewarden_access::Caller;
use gatewarden_credentials::ApiKey;
use gatewarden_types::{Id, Organization, Request};

use crate::{App, Error};

/// Whoever holds this key, and where it belongs; none when it is not a key that anyone was given. A text that is no
/// key costs no look-up.
///
/// # Errors
/// When the database cannot answer.
pub async fn key_holder(
    app: &App,
    text: &[u8],
    request: Id<Request>,
) -> Result<Option<(Caller, Id<Organization>)>, Error> {
    let Ok(key) = ApiKey::parse(text) else { return Ok(None) };
    Ok(app.store.key_caller(key.id(), key.verifier(), request).await?)
}
