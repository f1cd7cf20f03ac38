use std::collections::BTreeSet;

use gatewarden_types::{Id, Organization};
use tokio::time::Instant;

use super::Wait;
use crate::spool::frame::Tally;

/// How many records, and how many bytes, are shipped at once, unless a single frame has more.
const MOST_RECORDS: u64 = 1_000;
const MOST_BYTES: u64 = 512 * 1024;

/// One file of frames.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    /// How long the file is at most.
    pub(super) bytes: u64,
    /// In their order.
    pub(super) stretches: Vec<Stretch>,
    /// Something in it cannot be read by this program. A newer one may, so it stays.
    foreign: bool,
    /// Until when it is not read again, because it could not be.
    pub(super) aside: Option<Wait>,
}

/// Frames that follow each other and are shipped together.
#[derive(Debug)]
pub(super) struct Stretch {
    /// Where it begins in its segment.
    pub(super) at: u64,
    pub(super) bytes: u64,
    /// How many records of whom are not acknowledged.
    pub(super) left: Vec<(Id<Organization>, u64)>,
    /// It was shipped, so it takes no more frames.
    shipped: bool,
}

impl Segment {
    /// A file of so many bytes that was found, and the lengths of its frames with their records.
    pub(crate) fn found(frames: Vec<(u64, Tally)>, bytes: u64, foreign: bool) -> Self {
        let mut segment = Self::default();
        for (bytes, records) in frames {
            segment.push(bytes, records);
        }
        Self { bytes, foreign, ..segment }
    }

    /// One more frame at its end.
    pub(super) fn push(&mut self, bytes: u64, records: Tally) {
        let at = self.bytes;
        self.bytes += bytes;
        let more: u64 = records.values().sum();
        match self.stretches.last_mut() {
            Some(last) if last.takes(bytes, more) => last.add(bytes, records),
            _ => self.stretches.push(Stretch { at, bytes, left: records.into_iter().collect(), shipped: false }),
        }
    }

    pub(super) fn records(&self) -> u64 {
        self.stretches.iter().map(Stretch::records).sum()
    }

    /// Whether there is something in it that this release cannot read.
    pub(super) fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// Whether nothing in it is of use any more.
    pub(super) fn is_finished(&self) -> bool {
        !self.foreign && self.stretches.iter().all(|stretch| stretch.left.is_empty())
    }

    /// Whether it is due to be read, also where it could not be before.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.aside.as_ref().is_none_or(|wait| wait.due <= now)
    }

    /// The oldest stretch that has records of someone who need not wait, and of whom.
    pub(super) fn ready(
        &mut self,
        waits: impl Fn(Id<Organization>) -> bool,
    ) -> Option<(u64, u64, BTreeSet<Id<Organization>>)> {
        self.stretches.iter_mut().find_map(|stretch| {
            let whose: BTreeSet<_> = stretch.left.iter().map(|(one, _)| *one).filter(|one| !waits(*one)).collect();
            stretch.shipped |= !whose.is_empty();
            (!whose.is_empty()).then_some((stretch.at, stretch.bytes, whose))
        })
    }
}

impl Stretch {
    pub(super) fn records(&self) -> u64 {
        self.left.iter().map(|(_, records)| records).sum()
    }

    fn takes(&self, bytes: u64, records: u64) -> bool {
        !self.shipped && self.bytes + bytes <= MOST_BYTES && self.records() + records <= MOST_RECORDS
    }

    fn add(&mut self, bytes: u64, records: Tally) {
        self.bytes += bytes;
        for (organization, more) in records {
            match self.left.iter_mut().find(|(one, _)| *one == organization) {
                Some((_, count)) => *count += more,
                None => self.left.push((organization, more)),
            }
        }
    }
}
