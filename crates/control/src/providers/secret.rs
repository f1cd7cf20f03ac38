use gatewarden_credentials::{Sealed, SealedFor, Secret};
use gatewarden_types::{Id, Organization, Provider};

use crate::{App, Error};

/// What becomes of a provider's secret.
#[derive(Debug, Clone, Default)]
pub enum SecretChange {
    /// The stored one stays.
    #[default]
    Keep,
    /// This one takes its place.
    Replace(Secret<String>),
    /// It is erased; the provider is called without one.
    Erase,
}

/// Seals a secret for its provider.
///
/// # Errors
/// When it could not be sent in a header, or is too long.
pub(super) fn seal(
    app: &App,
    organization: Id<Organization>,
    provider: Id<Provider>,
    secret: &Secret<String>,
) -> Result<Sealed, Error> {
    let text = secret.expose().trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::field("secret", "Give the secret as the provider shows it: letters, digits and signs."));
    }
    let trimmed = Secret::new(text.to_owned());
    let purpose = SealedFor::ProviderCredential { organization, provider };
    app.sealing.seal(&trimmed, purpose, &app.entropy).map_err(|bad| Error::field("secret", bad.to_string()))
}
