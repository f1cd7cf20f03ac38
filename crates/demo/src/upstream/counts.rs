//! What happened to each call, in a form that a test can wait on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderMap;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long anyone waits here for a count.
const PATIENCE: Duration = Duration::from_mins(1);

/// What has happened at the server so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections accepted.
    pub connections: u64,
    /// Model calls that carried the right secret.
    pub calls: u64,
    /// Calls being answered now.
    pub open: u64,
    /// Calls answered to the last byte, error answers included.
    pub finished: u64,
    /// Calls whose caller left first.
    pub cancelled: u64,
    /// Bytes of answers to calls, handed out so far.
    pub sent: u64,
}

/// One model call as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The path of the request.
    pub path: String,
    /// All of its headers.
    pub headers: HeaderMap,
    /// Its body, byte for byte.
    pub body: Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    counts: watch::Sender<Counts>,
    seen: Mutex<Option<Seen>>,
}

impl Ledger {
    pub(super) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    pub(super) fn last_seen(&self) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn until(&self, reached: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.counts.subscribe();
        match timeout(PATIENCE, counts.wait_for(reached)).await {
            Ok(Ok(counts)) => *counts,
            _ => self.counts(),
        }
    }

    pub(super) fn connected(&self) {
        self.counts.send_modify(|counts| counts.connections += 1);
    }

    pub(super) fn begin(self: &Arc<Self>) -> Call {
        let mut number = 0;
        self.counts.send_modify(|counts| {
            counts.calls += 1;
            counts.open += 1;
            number = counts.calls;
        });
        Call { ledger: Arc::clone(self), number, finished: false }
    }
}

/// One call under way; dropped unfinished, it counts as cancelled.
#[derive(Debug)]
pub(super) struct Call {
    ledger: Arc<Ledger>,
    number: u64,
    finished: bool,
}

impl Call {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn saw(&self, seen: Seen) {
        *self.ledger.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }

    pub(super) fn sends(&self, bytes: usize) {
        self.ledger.counts.send_modify(|counts| counts.sent += bytes as u64);
    }

    pub(super) fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let finished = self.finished;
        self.ledger.counts.send_modify(|counts| {
            counts.open -= 1;
            if finished {
                counts.finished += 1;
            } else {
                counts.cancelled += 1;
            }
        });
    }
}
