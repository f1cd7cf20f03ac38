//! What each connection is doing, and the sweep that ends those that do nothing for too long.
//!
//! No request arms a timer: a phase and the second it began are two stores, and one sweep a second per thread looks
//! at all of them.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU8, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{sync::Notify, task::AbortHandle, time::interval};

/// How long a connection may stay in one phase, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without a whole request head: an idle connection, or one that sends its head slowly.
    pub waiting: u32,
    /// Without the rest of a request's body.
    pub receiving: u32,
    /// Without the first byte of the provider's answer; then the caller is told.
    pub provider: u32,
    /// Without a next part of the answer that the caller takes.
    pub answering: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { waiting: 60, receiving: 60, provider: 600, answering: 300 }
    }
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Waiting,
    Receiving,
    Provider,
    Answering,
}

/// One connection's phase.
#[derive(Debug)]
pub(crate) struct Activity {
    phase: AtomicU8,
    since: AtomicU32,
    seconds: Arc<AtomicU32>,
    expired: Notify,
}

impl Activity {
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
        self.since.store(self.seconds.load(Relaxed), Relaxed);
    }

    /// Waits until the provider has had its time.
    pub(crate) async fn expired(&self) {
        self.expired.notified().await;
    }

    fn verdict(&self, now: u32, patience: Patience) -> Verdict {
        let phase = self.phase.load(Relaxed);
        let limit = match phase {
            _ if phase == Phase::Waiting as u8 => patience.waiting,
            _ if phase == Phase::Receiving as u8 => patience.receiving,
            _ if phase == Phase::Provider as u8 => patience.provider,
            _ => patience.answering,
        };
        match now.saturating_sub(self.since.load(Relaxed)) > limit {
            false => Verdict::Stay,
            true if phase == Phase::Provider as u8 => Verdict::Tell,
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
        Arc::new(Activity { phase, since, seconds, expired: Notify::new() })
    }

    /// Watches over a connection whose task is `task`.
    pub(crate) fn watch(&self, activity: &Arc<Activity>, task: AbortHandle) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::downgrade(activity), task));
    }

    /// Sweeps once a second, for ever.
    pub(crate) async fn sweep(&self, patience: Patience) {
        let mut every = interval(Duration::from_secs(1));
        loop {
            every.tick().await;
            let now = self.seconds.fetch_add(1, Relaxed) + 1;
            self.pass(now, patience);
        }
    }

    fn pass(&self, now: u32, patience: Patience) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(activity, task)| {
            let Some(activity) = activity.upgrade() else { return false };
            match activity.verdict(now, patience) {
                Verdict::Stay => {}
                Verdict::Tell => activity.expired.notify_waiters(),
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
        let patience = Patience { waiting: 10, receiving: 5, provider: 20, answering: 7 };
        for (phase, limit, ends) in [
            (Phase::Waiting, 10, Verdict::End),
            (Phase::Receiving, 5, Verdict::End),
            (Phase::Provider, 20, Verdict::Tell),
            (Phase::Answering, 7, Verdict::End),
        ] {
            let activity = connections.begin();
            activity.enter(phase);
            assert_eq!(activity.verdict(limit, patience), Verdict::Stay);
            assert_eq!(activity.verdict(limit + 1, patience), ends);
        }
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
