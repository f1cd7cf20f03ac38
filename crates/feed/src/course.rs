use gatewarden_trail::{Entry, epoch_after};
use gatewarden_types::{Id, Organization, Seq};

use crate::{Asked, FeedEvent, Position, event::epoch};

/// How far a gateway has followed one organization, and what it takes from there. A state machine without I/O.
///
/// A gateway on another host is a witness of the trail: it says each time which entry it knows, and takes no other history
/// for that one. Only a new epoch, which the operator begins after restoring a backup, may lead back.
#[derive(Debug, Clone)]
pub struct Course {
    organization: Id<Organization>,
    known: Option<Known>,
    wants_base: bool,
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
        Self { organization, known: None, wants_base: true }
    }

    /// What a feed that begins now is asked for.
    pub fn asks(&self) -> Asked {
        Asked { known: self.position(), wants_base: self.wants_base }
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
        self.wants_base = true;
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
            FeedEvent::Base { seq, head, continues, records, .. } => {
                let epoch = epoch(records, self.organization).ok_or(Astray::Incomplete)?;
                self.base(Known { position: Position { seq: *seq, head: *head }, epoch }, *continues)?
            }
            FeedEvent::Entry { bytes, .. } => self.entry(bytes)?,
            // A base follows without being asked for.
            FeedEvent::Behind { .. } => {
                self.want_base();
                return Ok(());
            }
            FeedEvent::Current { .. } | FeedEvent::Removed(_) | FeedEvent::CaughtUp => return Ok(()),
        };
        self.known = Some(known);
        self.wants_base = false;
        Ok(())
    }

    fn base(&self, next: Known, continues: bool) -> Result<Known, Astray> {
        let Some(known) = self.known else { return Ok(next) };
        let (theirs, ours) = (next.position.seq, known.position.seq);
        if next.epoch < known.epoch || (next.epoch == known.epoch && theirs < ours) {
            Err(Astray::Older { theirs, ours })
        } else if next.epoch == known.epoch && !continues {
            Err(Astray::Forked(ours))
        } else {
            Ok(next)
        }
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
        Ok(Known { position: Position::of(entry.seq, bytes), epoch: epoch_after(&entry).unwrap_or(known.epoch) })
    }
}
