//! What each connection is doing, and the sweep that ends those that do nothing for too long or may not go on.
//!
//! No request arms a timer: a phase and the second it began are two stores, and one sweep a second per thread looks
//! at all of them. Calls under way are decided on again when the policy has changed, never part by part.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU8, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use gatewarden_types::{Clock, Timestamp};
use tokio::{
    task::AbortHandle,
    time::{interval, sleep},
};

use crate::{refusal::Refusal, running::Running, snapshot::Snapshot, status::Current};

/// How long a call that was told to end may take to do so, in seconds. One whose caller reads nothing hears nothing.
const TOLD: u32 = 1;
/// The rest between two looks at the calls under way while policies change all the time.
const REST: Duration = Duration::from_millis(100);

/// How long a connection may stay in one phase, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without a whole request head: an idle connection, or one that sends its head slowly.
    pub waiting: u32,
    /// Without the rest of a request's body.
    pub receiving: u32,
    /// Without the first byte of the provider's answer; then the caller is told.
    pub provider: u32,
    /// Without the next part of the provider's answer; then the call is ended, in a stream with an error event.
    pub between: u32,
    /// Without the caller taking the next part of the answer, or all of its end.
    pub answering: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { waiting: 60, receiving: 60, provider: 600, between: 300, answering: 300 }
    }
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Waiting,
    Receiving,
    Provider,
    Between,
    Answering,
    /// The answer is through, and its end not sent yet.
    Ending,
    Told,
}

/// One connection's phase, and the call that is under way on it.
#[derive(Debug)]
pub(crate) struct Activity {
    phase: AtomicU8,
    since: AtomicU32,
    seconds: Arc<AtomicU32>,
    running: Mutex<Option<Running>>,
}

impl Activity {
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
        self.since.store(self.seconds.load(Relaxed), Relaxed);
    }

    /// Waits for the next part of the provider's answer, from the first time that this is said.
    pub(crate) fn await_part(&self) {
        if self.phase.load(Relaxed) == Phase::Answering as u8 {
            self.enter(Phase::Between);
        }
    }

    /// A call is sent to its provider.
    pub(crate) fn begin(&self, running: Running) {
        *self.running() = Some(running);
        self.enter(Phase::Provider);
    }

    /// The answer is through, but for what the connection still has to send.
    pub(crate) fn end(&self) {
        *self.running() = None;
        self.enter(Phase::Ending);
    }

    /// Everything that was written is sent.
    pub(crate) fn flushed(&self) {
        if self.phase.load(Relaxed) == Phase::Ending as u8 {
            self.enter(Phase::Waiting);
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the call under way what `why` says of it, if anything.
    fn tell(&self, why: impl FnOnce(&mut Running) -> Option<Refusal>) {
        let mut slot = self.running();
        let Some(refusal) = slot.as_mut().and_then(why) else { return };
        if slot.take().is_some_and(|running| running.tell(refusal)) {
            self.enter(Phase::Told);
        }
    }

    fn verdict(&self, now: u32, patience: Patience) -> Verdict {
        let phase = self.phase.load(Relaxed);
        let limit = match phase {
            _ if phase == Phase::Waiting as u8 => patience.waiting,
            _ if phase == Phase::Receiving as u8 => patience.receiving,
            _ if phase == Phase::Provider as u8 => patience.provider,
            _ if phase == Phase::Between as u8 => patience.between,
            _ if phase == Phase::Told as u8 => TOLD,
            _ => patience.answering,
        };
        let waits = phase == Phase::Provider as u8 || phase == Phase::Between as u8;
        match now.saturating_sub(self.since.load(Relaxed)) > limit {
            false => Verdict::Stay,
            true if waits => Verdict::Tell,
            true => Verdict::End,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Stay,
    Tell,
    End,
}

/// The connections of one thread.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    seconds: Arc<AtomicU32>,
    all: Mutex<Vec<(Weak<Activity>, AbortHandle)>>,
}

impl Connections {
    /// The activity of a new connection.
    pub(crate) fn begin(&self) -> Arc<Activity> {
        let (seconds, since) = (Arc::clone(&self.seconds), AtomicU32::new(self.seconds.load(Relaxed)));
        let phase = AtomicU8::new(Phase::Waiting as u8);
        Arc::new(Activity { phase, since, seconds, running: Mutex::default() })
    }

    /// Watches over a connection whose task is `task`.
    pub(crate) fn watch(&self, activity: &Arc<Activity>, task: AbortHandle) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::downgrade(activity), task));
    }

    /// Sweeps once a second, and looks at the calls under way also when there is a new policy, for ever.
    pub(crate) async fn sweep(&self, patience: Patience, current: &Current, clock: &Clock) {
        let (mut every, mut news) = (interval(Duration::from_secs(1)), current.news.subscribe());
        loop {
            tokio::select! {
                _ = every.tick() => {
                    let now = self.seconds.fetch_add(1, Relaxed) + 1;
                    self.pass(now, patience);
                }
                Ok(()) = news.changed() => sleep(REST).await,
            }
            self.review(&current.snapshot.load(), clock.now());
        }
    }

    /// Ends the calls that are no longer allowed.
    fn review(&self, snapshot: &Snapshot, now: Timestamp) {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        for activity in all.iter().filter_map(|(activity, _)| activity.upgrade()) {
            activity.tell(|running| running.review(snapshot, now).err());
        }
    }

    fn pass(&self, now: u32, patience: Patience) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(activity, task)| {
            let Some(activity) = activity.upgrade() else { return false };
            match activity.verdict(now, patience) {
                Verdict::Stay => {}
                Verdict::Tell => activity.tell(|running| Some(running.timed_out())),
                Verdict::End => task.abort(),
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_does_nothing_too_long_is_ended() {
        let connections = Connections::default();
        let patience = Patience { waiting: 10, receiving: 5, provider: 20, between: 15, answering: 7 };
        for (phase, limit, ends) in [
            (Phase::Waiting, 10, Verdict::End),
            (Phase::Receiving, 5, Verdict::End),
            (Phase::Provider, 20, Verdict::Tell),
            (Phase::Between, 15, Verdict::Tell),
            (Phase::Answering, 7, Verdict::End),
            (Phase::Ending, 7, Verdict::End),
            (Phase::Told, TOLD, Verdict::End),
        ] {
            let activity = connections.begin();
            activity.enter(phase);
            assert_eq!(activity.verdict(limit, patience), Verdict::Stay);
            assert_eq!(activity.verdict(limit + 1, patience), ends);
        }
    }

    #[tokio::test]
    async fn a_caller_has_the_time_of_an_answer_for_its_end_and_not_that_of_an_idle_connection() {
        let connections = Connections::default();
        let patience = Patience { waiting: 10, answering: 30, ..Patience::default() };
        let activity = connections.begin();
        activity.enter(Phase::Answering);
        activity.end();
        assert_eq!((activity.verdict(30, patience), activity.verdict(31, patience)), (Verdict::Stay, Verdict::End));
        activity.flushed();
        assert_eq!((activity.verdict(10, patience), activity.verdict(11, patience)), (Verdict::Stay, Verdict::End));
    }

    #[tokio::test]
    async fn the_sweep_ends_the_task_and_forgets_those_that_are_gone() {
        let connections = Connections::default();
        let (idle, gone) = (connections.begin(), connections.begin());
        let task = tokio::spawn(std::future::pending::<()>());
        connections.watch(&idle, task.abort_handle());
        connections.watch(&gone, tokio::spawn(async {}).abort_handle());
        drop(gone);
        connections.pass(1000, Patience::default());
        assert!(task.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(connections.all.lock().expect("not poisoned").len(), 1);
    }
}
