use gatewarden_credentials::Sealed;
use gatewarden_trail::{Entry, leaf_hash};
use gatewarden_types::{AnyRecord, CredentialRef, Digest, Id, Organization, Provider, Seq, Timestamp};

/// One message of the control plane. A gateway gets a base of each organization it follows, that these were all, and
/// then every entry; what falls behind begins anew with a base.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedEvent {
    /// The folded state of an organization: where following it begins, and begins anew after something unreadable.
    Base {
        /// The organization.
        organization: Id<Organization>,
        /// The position of its last entry.
        seq: Seq,
        /// The leaf hash of that entry.
        head: Digest,
        /// Whether the trail has the entry that the gateway said it knows; false also where it said none. What does not continue
        /// the one that is known is another history, or a new epoch.
        continues: bool,
        /// Every policy record it has.
        records: Vec<AnyRecord>,
        /// The sealed credentials that its providers name.
        bodies: Vec<Body>,
    },
    /// The next entry of an organization's trail.
    Entry {
        /// The organization.
        organization: Id<Organization>,
        /// The entry in canonical bytes, as the trail stores it.
        bytes: Vec<u8>,
        /// The sealed credentials that it names, as far as they have not been erased since.
        bodies: Vec<Body>,
    },
    /// An organization whose records cannot be read now; a base follows as soon as they can.
    Behind {
        /// The organization.
        organization: Id<Organization>,
        /// Why, for whoever runs this.
        problem: String,
    },
    /// An organization that is no longer there, or no longer this gateway's to serve.
    Removed(Id<Organization>),
    /// What was sent of an organization is all there is. It is said again every few seconds, so that a gateway knows how
    /// old its policy is when it stops coming.
    Current {
        /// The organization.
        organization: Id<Organization>,
        /// When, by the clock of whoever says it.
        at: Timestamp,
    },
    /// Everything that could be read when following began has been sent; from now on the gateway is ready.
    CaughtUp,
}

impl FeedEvent {
    /// The organization that it is about.
    pub fn about(&self) -> Option<Id<Organization>> {
        match self {
            Self::Base { organization, .. }
            | Self::Entry { organization, .. }
            | Self::Behind { organization, .. }
            | Self::Current { organization, .. }
            | Self::Removed(organization) => Some(*organization),
            Self::CaughtUp => None,
        }
    }

    /// Where a gateway is that has taken it; none where it leads nowhere, or cannot be read.
    pub fn leads_to(&self) -> Option<Position> {
        match self {
            Self::Base { seq, head, .. } => Some(Position { seq: *seq, head: *head }),
            Self::Entry { bytes, .. } => {
                let entry = Entry::from_bytes(bytes).ok()?;
                Some(Position::of(entry.seq, bytes))
            }
            _ => None,
        }
    }

    /// Epoch and position of a base; none where it is none, or says nothing of its organization.
    pub fn base_at(&self) -> Option<(u32, Seq)> {
        match self {
            Self::Base { organization, seq, records, .. } => Some((epoch(records, *organization)?, *seq)),
            _ => None,
        }
    }
}

/// Which of an organization's trails these records are the state of.
pub(crate) fn epoch(records: &[AnyRecord], organization: Id<Organization>) -> Option<u32> {
    records.iter().find_map(|record| match record {
        AnyRecord::Organization(record) if record.id == organization => Some(record.epoch),
        _ => None,
    })
}

/// Where in a trail a gateway is: which entry was its last, and that it was this one. After a backup was restored there
/// may be another at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The entry's position.
    pub seq: Seq,
    /// Its leaf hash.
    pub head: Digest,
}

impl Position {
    /// Where an entry leads that has these canonical bytes.
    pub fn of(seq: Seq, bytes: &[u8]) -> Self {
        Self { seq, head: Digest(leaf_hash(bytes)) }
    }
}

/// What a gateway asks the control plane for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Where it is; none while it knows nothing.
    pub known: Option<Position>,
    /// Whether it wants a base also where the trail has that entry.
    pub wants_base: bool,
}

/// A provider's secret, sealed for whoever is to open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The provider it opens.
    pub provider: Id<Provider>,
    /// How the provider's record names it.
    pub name: CredentialRef,
    /// The secret. For a gateway on another host it is sealed anew, so its digest is not its name there.
    pub sealed: Sealed,
}
