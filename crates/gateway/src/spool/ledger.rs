//! What lies in the spool and what is to be done next. A state machine without I/O and without a clock.
//!
//! Records are shipped in stretches, oldest first and one at a time. The receiver answers for each organization, so that
//! one whose records cannot be kept waits by itself and holds up nobody.

mod segment;

use std::collections::{BTreeMap, BTreeSet};

use gatewarden_types::{Backoff, Id, Organization};
use tokio::time::Instant;

use super::frame::Tally;
pub(crate) use segment::Segment;
use segment::Stretch;

/// A segment that has so many bytes takes no more, nor one that has a sixteenth of all.
const SEGMENT: u64 = 1024 * 1024;

/// What happens to the spool.
#[derive(Debug)]
pub(crate) enum Event {
    /// A frame is to be kept.
    Offered {
        /// Its length in bytes.
        bytes: u64,
        /// Its records.
        records: Tally,
    },
    /// The frame that was offered is on the disk.
    Kept,
    /// It could not be written, or nobody knows whether it is on the disk.
    NotKept,
    /// The receiver has kept what was shipped, except for these organizations.
    Answered(BTreeSet<Id<Organization>>),
    /// The receiver gave no answer to what was shipped.
    Unanswered,
    /// What was to be shipped cannot be read now.
    Unread,
    /// What was to be shipped is no longer what was written.
    Spoiled,
    /// Time has passed.
    Tick,
    /// No more will be offered.
    Closing,
}

/// What is to be done about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Appends the offered frame to this segment and makes sure that it is on the disk.
    Write(u64),
    /// Removes this segment.
    Delete(u64),
    /// Sends what is here of these organizations.
    Ship {
        /// In which segment.
        segment: u64,
        /// From which byte on.
        at: u64,
        /// How many bytes.
        bytes: u64,
        /// Whose records.
        whose: BTreeSet<Id<Organization>>,
    },
    /// So many records that were kept are lost.
    Lost(u64),
    /// A segment is lost that another release wrote, so that nobody knows what was in it.
    LostUnread(u64),
}

/// The state of a spool.
#[derive(Debug)]
pub(crate) struct Ledger {
    most_bytes: u64,
    segments: BTreeMap<u64, Segment>,
    next: u64,
    /// Where frames are appended, as long as every one before is known to be whole.
    open: Option<u64>,
    writing: Option<(u64, u64, Tally)>,
    shipping: Option<Shipping>,
    /// The organizations whose records could not be kept.
    held: BTreeMap<Id<Organization>, Wait>,
    /// Until when nothing is sent, because nobody answered.
    silence: Option<Wait>,
}

#[derive(Debug)]
struct Shipping {
    segment: u64,
    at: u64,
    whose: BTreeSet<Id<Organization>>,
}

#[derive(Debug)]
struct Wait {
    due: Instant,
    backoff: Backoff,
}

impl Wait {
    fn longer(before: Option<Self>, now: Instant) -> Self {
        let mut backoff = before.map_or_else(Backoff::default, |wait| wait.backoff);
        Self { due: now + backoff.failed(), backoff }
    }
}

impl Ledger {
    /// A spool of at most so many bytes in which these segments were found.
    pub(crate) fn new(most_bytes: u64, segments: BTreeMap<u64, Segment>) -> Self {
        let next = segments.last_key_value().map_or(1, |(number, _)| number + 1);
        let (open, writing, shipping, silence) = (None, None, None, None);
        Self { most_bytes, segments, next, open, writing, shipping, held: BTreeMap::new(), silence }
    }

    /// How many records wait to be acknowledged.
    pub(crate) fn records(&self) -> u64 {
        self.segments.values().map(Segment::records).sum()
    }

    /// How many bytes the segments have.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.bytes).sum()
    }

    /// Whether something is on its way to the receiver.
    pub(crate) fn is_shipping(&self) -> bool {
        self.shipping.is_some()
    }

    /// Takes in an event and says what is to be done, in this order.
    pub(crate) fn step(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Offered { bytes, records } => self.place(bytes, records, &mut effects),
            Event::Kept => self.kept(),
            Event::NotKept => self.not_kept(),
            Event::Answered(except) => self.answered(&except, now),
            Event::Unanswered => {
                self.shipping = None;
                self.silence = Some(Wait::longer(self.silence.take(), now));
            }
            Event::Unread => self.unread(now),
            Event::Spoiled => effects.extend(self.spoiled().map(Effect::Lost)),
            Event::Tick => {}
            Event::Closing => self.open = None,
        }
        self.remove_finished(&mut effects);
        self.ship(now, &mut effects);
        effects
    }

    /// Finds a place for a frame. The oldest segments make room.
    fn place(&mut self, bytes: u64, records: Tally, effects: &mut Vec<Effect>) {
        while self.bytes() + bytes > self.most_bytes {
            let shipped = self.shipping.as_ref().map(|shipping| shipping.segment);
            let Some(oldest) = self.segments.keys().copied().find(|number| Some(*number) != shipped) else { break };
            let Some(segment) = self.segments.remove(&oldest) else { break };
            self.open = self.open.filter(|open| *open != oldest);
            effects.extend([Effect::Delete(oldest), Effect::Lost(segment.records())]);
            effects.extend(segment.is_foreign().then_some(Effect::LostUnread(oldest)));
        }
        let full = SEGMENT.min(self.most_bytes / 16);
        let roomy = |open: &u64| self.segments.get(open).is_some_and(|segment| segment.bytes < full);
        let number = self.open.filter(roomy).unwrap_or(self.next);
        self.next = self.next.max(number + 1);
        self.open = Some(number);
        self.segments.entry(number).or_default();
        self.writing = Some((number, bytes, records));
        effects.push(Effect::Write(number));
    }

    fn kept(&mut self) {
        if let Some((number, bytes, records)) = self.writing.take() {
            self.segments.entry(number).or_default().push(bytes, records);
        }
    }

    /// After a failed write nobody knows what follows the last whole frame, so nothing is appended there any more. Nor is
    /// a failed fsync tried again: the system may have dropped what it could not write, and then says that all is well.
    fn not_kept(&mut self) {
        if let Some((number, bytes, _)) = self.writing.take() {
            self.open = None;
            if let Some(segment) = self.segments.get_mut(&number) {
                segment.bytes += bytes;
            }
        }
    }

    fn answered(&mut self, except: &BTreeSet<Id<Organization>>, now: Instant) {
        self.silence = None;
        let Some(Shipping { segment, at, whose }) = self.shipping.take() else { return };
        if let Some(read) = self.segments.get_mut(&segment) {
            read.aside = None;
        }
        for organization in whose {
            if except.contains(&organization) {
                let wait = Wait::longer(self.held.remove(&organization), now);
                self.held.insert(organization, wait);
            } else {
                self.held.remove(&organization);
                if let Some(stretch) = self.stretch(segment, at) {
                    stretch.left.retain(|(whose, _)| *whose != organization);
                }
            }
        }
    }

    /// A file that cannot be read waits by itself, too, and holds up no other.
    fn unread(&mut self, now: Instant) {
        let shipping = self.shipping.take();
        if let Some(segment) = shipping.and_then(|shipping| self.segments.get_mut(&shipping.segment)) {
            segment.aside = Some(Wait::longer(segment.aside.take(), now));
        }
    }

    fn spoiled(&mut self) -> Option<u64> {
        let Shipping { segment, at, .. } = self.shipping.take()?;
        let stretch = self.stretch(segment, at)?;
        let lost = stretch.records();
        stretch.left.clear();
        Some(lost)
    }

    fn stretch(&mut self, segment: u64, at: u64) -> Option<&mut Stretch> {
        self.segments.get_mut(&segment)?.stretches.iter_mut().find(|stretch| stretch.at == at)
    }

    /// A segment of which nothing is left goes, unless more is to come into it.
    fn remove_finished(&mut self, effects: &mut Vec<Effect>) {
        let writing = self.writing.as_ref().map(|(number, ..)| *number);
        let busy = [self.open, writing, self.shipping.as_ref().map(|shipping| shipping.segment)];
        let finished = |number: &u64, segment: &Segment| !busy.contains(&Some(*number)) && segment.is_finished();
        let gone = self.segments.extract_if(.., |number, segment| finished(number, segment));
        effects.extend(gone.map(|(number, _)| Effect::Delete(number)));
    }

    /// Sends the oldest stretch that has records of someone who need not wait.
    fn ship(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.shipping.is_some() || self.silence.as_ref().is_some_and(|wait| wait.due > now) {
            return;
        }
        let held = &self.held;
        let waits = |organization| held.get(&organization).is_some_and(|wait| wait.due > now);
        let mut segments = self.segments.iter_mut().filter(|(_, segment)| segment.is_due(now));
        let ready = segments.find_map(|(number, segment)| Some((*number, segment.ready(waits)?)));
        if let Some((segment, (at, bytes, whose))) = ready {
            self.shipping = Some(Shipping { segment, at, whose: whose.clone() });
            effects.push(Effect::Ship { segment, at, bytes, whose });
        }
    }
}

#[cfg(test)]
mod tests;
