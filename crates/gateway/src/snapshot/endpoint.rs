//! Where a provider is and what opens it, ready for use.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use gatewarden_credentials::{Sealed, SealedFor, SealingKey};
use gatewarden_feed::Body;
use gatewarden_types::{Dialect, Digest, Id, Organization, Provider};
use hyper::{
    Uri,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
    http::uri::Scheme,
};

use super::Unreadable;
use crate::operation::Operation;

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
    place: Place,
}

/// Where a provider is.
#[derive(Debug, PartialEq)]
struct Place {
    /// Scheme, host and port.
    origin: Arc<str>,
    host: HeaderValue,
    /// The path of each operation, in the order of [`Operation::ALL`].
    paths: [Uri; Operation::ALL.len()],
}

impl Place {
    fn of(base: &str) -> Option<Self> {
        let base: Uri = base.trim_end_matches('/').parse().ok()?;
        let (scheme, authority) = (base.scheme()?, base.authority()?);
        // The port that goes without saying is not said.
        let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        let host = match authority.port_u16() {
            Some(port) if port != usual => format!("{}:{port}", authority.host()),
            _ => authority.host().to_owned(),
        };
        let path = base.path().trim_end_matches('/');
        let paths = Operation::ALL.map(|operation| format!("{path}{}", operation.path()).parse().ok());
        let [Some(chat), Some(embeddings), Some(messages), Some(count_tokens)] = paths else { return None };
        Some(Self {
            origin: format!("{scheme}://{authority}").into(),
            host: HeaderValue::try_from(host).ok()?,
            paths: [chat, embeddings, messages, count_tokens],
        })
    }
}

impl Endpoint {
    pub(super) fn new(
        organization: Id<Organization>,
        provider: Provider,
        vault: &Vault,
        before: Option<&Self>,
    ) -> Result<Self, Unreadable> {
        let place = Place::of(provider.base_url.as_str()).ok_or(Unreadable::BaseUrl(provider.id))?;
        // A credential comes once, with the entry that names it first; later entries only repeat its name.
        let same = |before: &Provider| (before.credential, before.dialect) == (provider.credential, provider.dialect);
        let kept = before.filter(|before| same(&before.provider));
        let opened = vault.credential(organization, &provider);
        let credential = opened.or_else(|| kept.and_then(|before| before.credential.clone()));
        Ok(Self { provider, credential, place })
    }

    /// Where it is connected to, such as `https://api.example.com`.
    pub(crate) fn origin(&self) -> &Arc<str> {
        &self.place.origin
    }

    /// The path of an operation there: from the provider's base URL, and nothing of the caller's.
    pub(crate) fn path(&self, operation: Operation) -> &Uri {
        let [chat, embeddings, messages, count_tokens] = &self.place.paths;
        match operation {
            Operation::Chat => chat,
            Operation::Embeddings => embeddings,
            Operation::Messages => messages,
            Operation::CountTokens => count_tokens,
        }
    }

    /// What its requests say in `Host`.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.place.host
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

#[cfg(test)]
mod tests {
    use gatewarden_types::BaseUrl;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_provider_is_where_its_base_url_says() {
        for (base, origin, host, chat) in [
            ("https://api.example.com/v1", "https://api.example.com", "api.example.com", "/v1/chat/completions"),
            ("https://api.example.com:443/", "https://api.example.com:443", "api.example.com", "/chat/completions"),
            ("http://10.0.0.1:8080", "http://10.0.0.1:8080", "10.0.0.1:8080", "/chat/completions"),
            ("http://[::1]:80/a/b/", "http://[::1]:80", "[::1]", "/a/b/chat/completions"),
        ] {
            let place = Place::of(base).expect(base);
            assert_eq!(
                (&*place.origin, &place.host, &place.paths[0].to_string()[..]),
                (origin, &host.parse().expect(host), chat)
            );
        }
        assert_eq!(Place::of("api.example.com/v1"), None);
    }

    proptest! {
        // proves that no address that an admin can enter keeps an organization's policy from being read
        #[test]
        fn every_base_url_is_a_place(scheme in "https?", host in "[!-.:-~a-z0-9.]{1,12}|[0-9.:\\[\\]]{3,12}|\\PC{1,6}", path in "\\PC{0,24}") {
            if let Ok(base) = format!("{scheme}://{host}/{path}").parse::<BaseUrl>() {
                prop_assert!(Place::of(base.as_str()).is_some(), "{base}");
            }
        }
    }
}
