use gatewarden_trail::{Entry, epoch_after, leaf_hash};
use gatewarden_types::{Digest, Id, Organization, Seq};

use crate::{FeedEvent, Position, event::epoch};

/// How far a gateway has followed one organization, and what it takes from there. A state machine without I/O.
///
/// A gateway on another host is a witness of the trail: it takes no other history for the one it knows. Only a new epoch,
/// which the operator begins after restoring a backup, may lead back.
#[derive(Debug, Clone)]
pub struct Course {
    organization: Id<Organization>,
    known: Option<Known>,
    /// Whether a base is what the gateway has asked for.
    base_wanted: bool,
    /// Whether the control plane had another history. Until it has the known one again, or a new epoch, no base of it is asked for
    /// or taken: that it leads further would not show that it is the same history.
    disputed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    position: Position,
    epoch: u32,
}

/// Why an event was not taken. What was taken before it stays good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Astray {
    /// It is about another organization.
    #[error("it is about another organization")]
    Elsewhere,
    /// An entry came and no base before it.
    #[error("an entry came before the policy it belongs to")]
    NoBase,
    /// The entry cannot be read, and so not be placed.
    #[error("an entry cannot be read: {0}")]
    Entry(String),
    /// An entry is missing.
    #[error("entry {found} came where {due} was due")]
    Gap {
        /// The position that was due.
        due: Seq,
        /// The position that came.
        found: Seq,
    },
    /// The base has no record of the organization itself.
    #[error("the organization's own record is missing")]
    Incomplete,
    /// The base is older than what the gateway has.
    #[error(
        "the control plane's trail ends at {theirs}, and this gateway has entry {ours} of it: was a backup restored? Then \
         run `gatewarden trail restored` there"
    )]
    Older {
        /// Where the base stands.
        theirs: Seq,
        /// Where the gateway stands.
        ours: Seq,
    },
    /// The control plane does not have the entry that the gateway has.
    #[error(
        "the control plane has another entry {0} than this gateway: was a backup restored? Then run \
         `gatewarden trail restored` there"
    )]
    Forked(Seq),
}

impl Course {
    /// Nothing of it is known yet.
    pub fn new(organization: Id<Organization>) -> Self {
        Self { organization, known: None, base_wanted: true, disputed: false }
    }

    /// From where the feed is to go on; none where a base is wanted.
    pub fn resumes_from(&self) -> Option<Position> {
        self.known.filter(|_| self.disputed || !self.base_wanted).map(|known| known.position)
    }

    /// How far it is.
    pub fn position(&self) -> Option<Position> {
        self.known.map(|known| known.position)
    }

    /// How far it is, and in which of the trails: what compares as greater leads further.
    pub fn at(&self) -> Option<(u32, Seq)> {
        self.known.map(|known| (known.epoch, known.position.seq))
    }

    /// A base is wanted, because something that was taken could not be used.
    pub fn want_base(&mut self) {
        self.base_wanted = true;
    }

    /// Whether the control plane had another history when it was last heard.
    pub fn is_disputed(&self) -> bool {
        self.disputed
    }

    /// Takes the next event of the feed.
    ///
    /// # Errors
    /// When it does not belong here; the position is as it was then.
    pub fn take(&mut self, event: &FeedEvent) -> Result<(), Astray> {
        if event.about().is_some_and(|about| about != self.organization) {
            return Err(Astray::Elsewhere);
        }
        let known = match event {
            FeedEvent::Base { seq, head, records, .. } => self.base(
                Position { seq: *seq, head: *head },
                epoch(records, self.organization).ok_or(Astray::Incomplete)?,
            )?,
            FeedEvent::Entry { bytes, .. } => self.entry(bytes)?,
            // A base follows without being asked for.
            FeedEvent::Behind { .. } => {
                self.want_base();
                return Ok(());
            }
            FeedEvent::Current { .. } => {
                // Without the known entry it would have sent a base before this.
                self.disputed = false;
                return Ok(());
            }
            FeedEvent::Removed(_) | FeedEvent::CaughtUp => return Ok(()),
        };
        self.known = Some(known);
        (self.base_wanted, self.disputed) = (false, false);
        Ok(())
    }

    fn base(&mut self, position: Position, epoch: u32) -> Result<Known, Astray> {
        let next = Known { position, epoch };
        let astray = match self.known {
            Some(known) if epoch < known.epoch || (epoch == known.epoch && position.seq < known.position.seq) => {
                Astray::Older { theirs: position.seq, ours: known.position.seq }
            }
            Some(known) if epoch == known.epoch && self.forks(&known, &position) => Astray::Forked(known.position.seq),
            _ => return Ok(next),
        };
        self.disputed = true;
        Err(astray)
    }

    /// Asked to go on from an entry it has, the control plane sends a base only where it does not have that entry.
    fn forks(&self, known: &Known, position: &Position) -> bool {
        self.resumes_from().is_some() || (position.seq == known.position.seq && position.head != known.position.head)
    }

    fn entry(&self, bytes: &[u8]) -> Result<Known, Astray> {
        let known = self.known.ok_or(Astray::NoBase)?;
        let entry = Entry::from_bytes(bytes).map_err(|bad| Astray::Entry(bad.to_string()))?;
        if entry.organization != Some(self.organization) {
            return Err(Astray::Elsewhere);
        }
        // No entry is beyond the last position there is, whatever a base says.
        let due = known.position.seq.saturating_add(1);
        if entry.seq != due {
            return Err(Astray::Gap { due, found: entry.seq });
        }
        let position = Position { seq: entry.seq, head: Digest(leaf_hash(bytes)) };
        Ok(Known { position, epoch: epoch_after(&entry).unwrap_or(known.epoch) })
    }
}
