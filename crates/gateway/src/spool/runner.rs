//! The thread of a spool: collects records, does what the ledger says, and tells it what became of that.

use std::{
    collections::{BTreeSet, VecDeque},
    io::ErrorKind,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use gatewarden_feed::UsageRecord;
use gatewarden_types::{Id, Organization};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    Answer, Batch,
    folder::Folder,
    frame::{Frame, sealed, tally, whole},
    ledger::{Effect, Event, Ledger},
};
use crate::{status::Counters, usage::Collector};

/// How often records are written to the disk: about how long a record waits in memory.
const COLLECTING: Duration = Duration::from_millis(100);
/// How many records are written at once.
const MOST_AT_ONCE: usize = 1_000;
/// After a write that failed, how long until the next.
const WRITING_AGAIN: Duration = Duration::from_secs(1);
/// How long shipping the last may take. What is left lies on the disk for the next start.
const ENDING: Duration = Duration::from_secs(8);

pub(crate) struct Runner {
    folder: Folder,
    ledger: Ledger,
    records: Collector,
    /// Collected, and not on the disk yet.
    unwritten: Vec<UsageRecord>,
    /// The same as it is written.
    frame: Vec<u8>,
    /// Nobody can make records any more.
    last: bool,
    /// Some are not collected yet.
    left: bool,
    /// When it is tried again, after a write has failed.
    again: Option<Instant>,
    to: mpsc::Sender<Batch>,
    answer: Option<oneshot::Receiver<Answer>>,
    counters: Arc<Counters>,
}

impl Runner {
    /// Looks at what lies in the folder.
    pub(crate) fn new(
        (folder, most_bytes): (Folder, u64),
        records: Collector,
        to: mpsc::Sender<Batch>,
        counters: Arc<Counters>,
    ) -> Self {
        let ledger = Ledger::new(most_bytes, folder.segments());
        let (unwritten, frame, last, left, again, answer) = (Vec::new(), Vec::new(), false, false, None, None);
        Self { folder, ledger, records, unwritten, frame, last, left, again, to, answer, counters }
    }

    /// Runs until nobody can make records any more, and then ships what it can.
    pub(crate) async fn run(mut self) {
        let mut collecting = interval(COLLECTING);
        collecting.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut over = None;
        while over.is_none_or(|over| Instant::now() < over && !self.is_done()) {
            tokio::select! {
                _ = collecting.tick() => self.collect(),
                answer = arrived(&mut self.answer) => {
                    self.answer = None;
                    self.step(answer.map_or(Event::Unanswered, Event::Answered));
                }
            }
            over = over.or_else(|| self.last.then(|| Instant::now() + ENDING));
        }
        self.step(Event::Closing);
        self.records.collect(usize::MAX, &mut self.unwritten);
        if !self.unwritten.is_empty() {
            self.lost(self.unwritten.len() as u64, "it could not be written to the disk");
        }
    }

    fn is_done(&self) -> bool {
        self.unwritten.is_empty() && !self.left && !self.ledger.is_shipping()
    }

    /// Spools what has come, as far as the disk takes it. The few that come while these are written wait for the next time:
    /// else a disk that is slower than calls are frequent is written all the time, for few at once.
    fn collect(&mut self) {
        // Asked before it is looked what there is, so that nothing comes after the last.
        self.last = self.records.is_last();
        if self.again.is_none_or(|again| again <= Instant::now()) {
            let mut more = true;
            while more {
                more = self.gather();
                more &= self.keep();
            }
        }
        self.step(Event::Tick);
        self.tell();
    }

    /// Collects what is written next; whether there is more than that.
    fn gather(&mut self) -> bool {
        let room = MOST_AT_ONCE.saturating_sub(self.unwritten.len());
        self.left = self.records.collect(room, &mut self.unwritten);
        self.left
    }

    /// Offers what was collected, if anything was; whether all of it is on the disk then.
    fn keep(&mut self) -> bool {
        if self.unwritten.is_empty() {
            return true;
        }
        self.frame = sealed(&self.unwritten);
        self.step(Event::Offered { bytes: self.frame.len() as u64, records: tally(&self.unwritten) });
        self.unwritten.is_empty()
    }

    /// Takes an event and all that follows from it to their end.
    fn step(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.ledger.step(event, Instant::now()) {
                events.extend(self.carry_out(effect));
            }
        }
    }

    /// Does what the ledger wants; what became of it, where that is known at once.
    fn carry_out(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Write(segment) => Some(self.write(segment)),
            Effect::Ship { segment, at, bytes, whose } => self.ship((segment, at, bytes), &whose).err(),
            Effect::Delete(segment) => {
                if let Err(bad) = self.folder.delete(segment) {
                    tracing::warn!(segment, error = %bad, "a usage file that is no longer needed cannot be removed");
                }
                None
            }
            Effect::Lost(records) => {
                self.lost(records, "the spool is full or damaged");
                None
            }
            Effect::LostUnread(segment) => {
                tracing::error!(segment, "usage that another release wrote is lost: the spool is full");
                None
            }
        }
    }

    fn write(&mut self, segment: u64) -> Event {
        match self.folder.append(segment, &self.frame) {
            Ok(()) => {
                self.counters.usage_kept.fetch_add(self.unwritten.len() as u64, Relaxed);
                self.unwritten.clear();
                if self.again.take().is_some() {
                    tracing::info!("the disk takes usage again");
                }
                Event::Kept
            }
            Err(bad) => {
                if self.again.is_none() {
                    tracing::error!(error = %bad, "the disk takes no usage; it waits in memory, as far as there is room");
                }
                self.again = Some(Instant::now() + WRITING_AGAIN);
                Event::NotKept
            }
        }
    }

    fn ship(&mut self, (segment, at, bytes): (u64, u64, u64), whose: &BTreeSet<Id<Organization>>) -> Result<(), Event> {
        let read = self.folder.read(segment, at, bytes).map_err(|bad| {
            if bad.kind() == ErrorKind::NotFound && self.folder.is_there() {
                tracing::error!(segment, "a file of spooled usage is gone");
                return Event::Spoiled;
            }
            tracing::error!(segment, error = %bad, "spooled usage cannot be read; it is tried again, and others go first");
            Event::Unread
        })?;
        let frames = whole(&read);
        let intact = frames.last().is_some_and(|last| last.at.end == read.len()) && read.len() as u64 == bytes;
        let records: Result<Vec<_>, _> = frames.iter().map(Frame::records).collect();
        let Some(records) = records.ok().filter(|_| intact) else { return Err(Event::Spoiled) };
        let records = records.into_iter().flatten().filter(|record| whose.contains(&record.organization)).collect();
        let (done, answer) = oneshot::channel();
        self.to.try_send(Batch { records, done }).map_err(|_| Event::Unanswered)?;
        self.answer = Some(answer);
        Ok(())
    }

    fn lost(&self, records: u64, why: &str) {
        if records > 0 {
            self.counters.usage_dropped.fetch_add(records, Relaxed);
            tracing::error!(records, "usage is lost: {why}");
        }
    }

    fn tell(&self) {
        self.counters.usage_waiting.store(self.ledger.records(), Relaxed);
        self.counters.usage_bytes.store(self.ledger.bytes(), Relaxed);
        self.counters.usage_unwritable.store(self.again.is_some(), Relaxed);
    }
}

/// Waits for the answer to what is on its way; none when there is none.
async fn arrived(answer: &mut Option<oneshot::Receiver<Answer>>) -> Option<Answer> {
    match answer {
        Some(answer) => answer.await.ok(),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, thread};

    use crate::{
        spool::given::record,
        usage::{Till, WAITING},
    };

    use super::*;

    /// A spool in a folder, what it is told of, and what it counts.
    fn spooling(folder: &Path) -> (Runner, Till, Arc<Counters>) {
        let counters = Arc::<Counters>::default();
        let (till, collector) = Till::new(Arc::clone(&counters));
        // Nobody takes what it ships.
        let (to, _) = mpsc::channel(1);
        let held = (Folder::hold(folder).unwrap(), 64 * 1024 * 1024);
        (Runner::new(held, collector, to, Arc::clone(&counters)), till, counters)
    }

    #[test]
    fn a_disk_is_not_written_for_each_call_that_comes_meanwhile() {
        const CALLS: u64 = 50;
        let folder = tempfile::tempdir().unwrap();
        let (mut runner, till, counters) = spooling(folder.path());
        till.take(record(1, 0));
        let mut at_once = 0;
        thread::scope(|all| {
            // Each comes while the one before is being written.
            all.spawn(|| {
                for number in 1..CALLS {
                    while !till.is_empty() {
                        thread::yield_now();
                    }
                    till.take(record(1, number.into()));
                }
            });
            runner.collect();
            at_once = counters.usage_kept.load(Relaxed);
            while counters.usage_kept.load(Relaxed) < CALLS && runner.again.is_none() {
                runner.collect();
            }
        });
        assert!(at_once < CALLS / 2, "the others wait for the next time: {at_once} were written");
        assert_eq!(counters.usage_kept.load(Relaxed), CALLS);
    }

    #[test]
    fn a_disk_that_takes_nothing_holds_up_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let (mut runner, till, _) = spooling(folder.path());
        folder.close().unwrap();
        (0..=MOST_AT_ONCE as u128).for_each(|number| till.take(record(1, number)));
        runner.collect();
        assert!(!runner.last && runner.again.is_some());
        drop(till);
        runner.collect();
        assert!(runner.last && !runner.is_done(), "it ends after a while, and counts what is lost");
    }

    #[test]
    fn all_that_has_come_is_written_at_once_and_what_has_no_room_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let (mut runner, till, counters) = spooling(folder.path());
        (0..=WAITING as u128).for_each(|number| till.take(record(1, number)));
        drop(till);
        runner.collect();
        let kept = counters.usage_kept.load(Relaxed);
        assert_eq!((kept, counters.usage_dropped.load(Relaxed)), (WAITING as u64, 1));
        assert!(runner.last, "and that was all");
    }
}
