//! Where a provider is and what opens it, ready for use.

use std::collections::{BTreeMap, HashMap};

use gatewarden_credentials::{Sealed, SealedFor, SealingKey};
use gatewarden_feed::Body;
use gatewarden_types::{Dialect, Digest, Id, Organization, Provider};
use hyper::{
    Uri,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
    http::uri::{Authority, PathAndQuery, Scheme},
};

use super::Unreadable;

/// What opens the secrets of providers.
#[derive(Debug, Clone)]
pub enum SealingKeys {
    /// The installation's own key, for every organization.
    One(SealingKey),
    /// A key for each organization that let this gateway in.
    Each(BTreeMap<Id<Organization>, SealingKey>),
}

impl SealingKeys {
    fn of(&self, organization: Id<Organization>) -> Option<&SealingKey> {
        match self {
            Self::One(key) => Some(key),
            Self::Each(keys) => keys.get(&organization),
        }
    }
}

/// The sealed secrets that came with an event, by the name that provider records give them, and what opens them.
#[derive(Debug)]
pub struct Vault {
    keys: SealingKeys,
    sealed: HashMap<Digest, Sealed>,
}

impl Vault {
    /// An empty vault.
    pub fn new(keys: SealingKeys) -> Self {
        Self { keys, sealed: HashMap::new() }
    }

    /// Holds these bodies and no others. Each opens for its own provider alone, whatever it is called.
    pub fn hold(&mut self, bodies: Vec<Body>) {
        self.sealed = bodies.into_iter().map(|body| (body.name.0, body.sealed)).collect();
    }

    /// The header with its secret that a provider wants; none when the secret is not here or does not open.
    fn credential(&self, organization: Id<Organization>, provider: &Provider) -> Option<(HeaderName, HeaderValue)> {
        let sealed = self.sealed.get(&provider.credential?.0)?;
        let purpose = SealedFor::ProviderCredential { organization, provider: provider.id };
        let secret = self.keys.of(organization)?.open(sealed, purpose).ok()?;
        let (name, text) = match provider.dialect {
            Dialect::OpenAi => (AUTHORIZATION, format!("Bearer {}", secret.expose())),
            Dialect::Anthropic => (HeaderName::from_static("x-api-key"), secret.expose().clone()),
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

/// A provider, ready to be called.
#[derive(Debug, PartialEq)]
pub(crate) struct Endpoint {
    pub(crate) provider: Provider,
    credential: Option<(HeaderName, HeaderValue)>,
    scheme: Scheme,
    authority: Authority,
    path: String,
}

impl Endpoint {
    pub(super) fn new(
        organization: Id<Organization>,
        provider: Provider,
        vault: &Vault,
        before: Option<&Self>,
    ) -> Result<Self, Unreadable> {
        let uri: Uri = provider.base_url.as_str().parse().map_err(|_| Unreadable::BaseUrl(provider.id))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(Unreadable::BaseUrl(provider.id));
        };
        let path = parts.path_and_query.map_or_else(String::new, |path| path.as_str().trim_end_matches('/').to_owned());
        // A credential comes once, with the entry that names it first; later entries only repeat its name.
        let same = |before: &Provider| (before.credential, before.dialect) == (provider.credential, provider.dialect);
        let kept = before.filter(|before| same(&before.provider));
        let opened = vault.credential(organization, &provider);
        let credential = opened.or_else(|| kept.and_then(|before| before.credential.clone()));
        Ok(Self { provider, credential, scheme, authority, path })
    }

    /// The address of an operation such as `/chat/completions`: the provider's base URL and nothing of the caller's.
    pub(crate) fn uri(&self, operation: &str) -> Option<Uri> {
        let mut parts = hyper::http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(format!("{}{operation}", self.path)).ok()?);
        Uri::from_parts(parts).ok()
    }

    /// The credential to send. A provider without one is sent none; one whose secret is missing cannot be called.
    pub(crate) fn credential(&self) -> Result<Option<&(HeaderName, HeaderValue)>, ()> {
        match (&self.credential, self.provider.credential) {
            (Some(header), _) => Ok(Some(header)),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(()),
        }
    }
}
