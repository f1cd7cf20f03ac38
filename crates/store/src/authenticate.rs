//! Making out who a key belongs to. What it may do is decided later, like for everyone.

use gatewarden_access::Caller;
use gatewarden_types::{Actor, Digest, Id, Key, KeyOwner, Member, Organization, Request, Versioned, Via};

use crate::{Store, StoreError, org_read::find};

impl Store {
    /// The caller whose key has this id and verifier, and where it belongs. A wrong secret, an unknown key, one that was
    /// revoked or has expired, and a key of nobody are one answer.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn key_caller(
        &self,
        key: Id<Key>,
        verifier: Digest,
        request: Id<Request>,
    ) -> Result<Option<(Caller, Id<Organization>)>, StoreError> {
        let Some(organization) = self.place_of(key).await? else { return Ok(None) };
        let tx = self.0.backend.read(organization).await?;
        let found: Option<Versioned<Key>> = find(&tx, key).await?;
        // The verifier is a hash of 256 random bits: comparing it tells a guesser nothing.
        let works = |key: &Versioned<Key>| key.record.verifier == verifier && key.record.works(self.0.clock.now());
        let Some(Versioned { record: key, .. }) = found.filter(works) else {
            return Ok(None);
        };
        let actor = match key.owner {
            KeyOwner::Organization => Actor::Organization,
            KeyOwner::Member(member) => match find::<Member>(&tx, member).await? {
                Some(member) => Actor::Account(member.record.account),
                None => return Ok(None),
            },
        };
        Ok(Some((Caller { actor, via: Via::Key(key.id), request }, organization)))
    }
}
