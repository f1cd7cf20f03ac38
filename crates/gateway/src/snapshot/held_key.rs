//! A key as the gateway holds a great many of: what a call is decided by, and nothing that can be looked up elsewhere.

use gatewarden_access::KeyFacts;
use gatewarden_types::{Digest, Id, Key, Limits, Organization};

/// A key and the organization it is of. Its id is what it is held by.
#[derive(Debug, PartialEq)]
pub(crate) struct HeldKey {
    pub(crate) organization: Id<Organization>,
    pub(crate) verifier: Digest,
    pub(crate) facts: KeyFacts,
    /// How much may be called with it in a minute.
    pub(crate) limits: Limits,
    /// What people call it, for whoever is refused.
    pub(crate) name: Box<str>,
}

impl HeldKey {
    pub(super) fn new(organization: Id<Organization>, key: &Key) -> Self {
        let (facts, name) = (KeyFacts::of(key), key.name.as_str().into());
        Self { organization, verifier: key.verifier, facts, limits: key.limits, name }
    }
}
