//! Work on passwords, off the threads that answer requests: some at once, some in line, and then no more.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use crate::Error;

/// How many may wait for their turn: about two seconds of work for two at once.
const IN_LINE: usize = 64;
/// In how many seconds whoever finds the line full should try again.
const TRY_AGAIN_SECONDS: u64 = 5;

/// Who hashes now, and who waits.
#[derive(Debug)]
pub(crate) struct Hashing {
    turns: Arc<Semaphore>,
    line: Semaphore,
    done: AtomicU64,
}

impl Hashing {
    /// So many `at_once`, at least one.
    pub(crate) fn new(at_once: usize) -> Self {
        let turns = Arc::new(Semaphore::new(at_once.max(1)));
        Self { turns, line: Semaphore::new(IN_LINE), done: AtomicU64::new(0) }
    }

    /// How often there was work since the start.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Does the work when it is its turn.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let turn = self.turn().await?;
        self.done.fetch_add(1, Ordering::Relaxed);
        // The work goes on where nobody waits for it any more, and keeps its turn until it is done.
        let worked = spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        worked.await.map_err(|bad| Error::Internal(bad.to_string()))
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(turn);
        }
        let _place = self.line.try_acquire().map_err(|_| Error::Busy(TRY_AGAIN_SECONDS))?;
        Arc::clone(&self.turns).acquire_owned().await.map_err(|bad| Error::Internal(bad.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    /// Looks whether a future is done, without waiting for it.
    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn so_many_wait_and_the_next_is_told_to_try_again() {
        let hashing = Hashing::new(1);
        let Poll::Ready(Ok(first)) = poll(pin!(hashing.turn())) else { panic!("nobody is before it") };
        let mut line: Vec<_> = (0..IN_LINE).map(|_| Box::pin(hashing.turn())).collect();
        assert!(line.iter_mut().all(|waits| poll(waits.as_mut()).is_pending()));
        assert!(matches!(poll(pin!(hashing.turn())), Poll::Ready(Err(Error::Busy(TRY_AGAIN_SECONDS)))));
        drop(first);
        let mut second = line.remove(0);
        assert!(matches!(poll(second.as_mut()), Poll::Ready(Ok(_))), "the first in line");
        assert!(poll(pin!(hashing.turn())).is_pending(), "which makes room for one more");
    }
}
