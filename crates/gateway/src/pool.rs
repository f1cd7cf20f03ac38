//! One thread's connections to providers that are open and wait for a call.
//!
//! A connection carries one call at a time. When its answer was read to the end it waits for the next call to the same
//! origin; when it was not, it is closed, which is how a provider learns that nobody listens any more.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::time::interval;

/// How often it is looked which have waited too long.
const LOOKING: Duration = Duration::from_secs(10);
/// How many looks a connection waits for a call, so up to a minute. One that its provider closes sooner is not used any more
/// either.
const PATIENCE: u8 = 6;
/// How many wait at most for calls to one origin.
const MOST: usize = 256;

/// What sends requests over a connection, one at a time.
pub(crate) type Sender = SendRequest<Full<Bytes>>;

/// The connections that wait, by the origin (`https://api.example.com`) that they lead to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<Waiting>>);

/// Each with how often it was looked at.
type Waiting = BTreeMap<Arc<str>, Vec<(Sender, u8)>>;

/// A connection that a call is on. Dropped, it is closed.
#[derive(Debug)]
pub(crate) struct Pooled {
    pub(crate) sender: Sender,
    origin: Arc<str>,
    pool: Pool,
}

impl Pool {
    /// A new connection, for a call at once.
    pub(crate) fn open(&self, origin: &Arc<str>, sender: Sender) -> Pooled {
        Pooled { sender, origin: Arc::clone(origin), pool: self.clone() }
    }

    /// The connection that has waited the shortest, which is the least likely to be closed just now.
    pub(crate) fn take(&self, origin: &Arc<str>) -> Option<Pooled> {
        let mut waiting = self.waiting();
        let here = waiting.get_mut(origin)?;
        // One that was just read to the end may take another moment.
        let ready = here.iter().rposition(|(sender, _)| sender.is_ready())?;
        let (sender, _) = here.remove(ready);
        drop(waiting);
        Some(self.open(origin, sender))
    }

    /// Closes what has waited too long, for ever.
    pub(crate) async fn sweep(&self) {
        let mut looking = interval(LOOKING);
        loop {
            looking.tick().await;
            self.look();
        }
    }

    /// Closes what has waited too long, and forgets what was closed.
    fn look(&self) {
        self.waiting().retain(|_, here| {
            here.retain_mut(|(sender, looks)| {
                *looks += 1;
                !sender.is_closed() && *looks < PATIENCE
            });
            !here.is_empty()
        });
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pooled {
    /// Lets it wait for the next call: the answer was read to its end.
    pub(crate) fn give_back(self) {
        let Self { sender, origin, pool } = self;
        let mut waiting = pool.waiting();
        let here = waiting.entry(origin).or_default();
        if !sender.is_closed() && here.len() < MOST {
            here.push((sender, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::client::conn::http1::handshake;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};

    use super::*;

    /// A connection on which nothing was sent, and its provider's end.
    async fn connect(pool: &Pool, origin: &Arc<str>) -> (Pooled, DuplexStream) {
        let (near, far) = duplex(64);
        let (sender, connection) = handshake(TokioIo::new(near)).await.expect("it is there");
        tokio::spawn(connection);
        let mut pooled = pool.open(origin, sender);
        pooled.sender.ready().await.expect("it is open");
        (pooled, far)
    }

    #[tokio::test]
    async fn a_connection_waits_for_calls_to_its_origin_and_not_for_ever() {
        let (pool, [here, there]) = (Pool::default(), ["https://a", "https://b"].map(Arc::<str>::from));
        let (pooled, mut far) = connect(&pool, &here).await;
        pooled.give_back();
        assert!(pool.take(&there).is_none());
        pool.take(&here).unwrap().give_back();
        (1..PATIENCE).for_each(|_| pool.look());
        pool.take(&here).unwrap().give_back();
        (0..PATIENCE).for_each(|_| pool.look());
        assert_eq!(far.read(&mut [0; 1]).await.expect("it ends well"), 0, "it was closed");
        assert!(pool.waiting().is_empty());
    }

    #[tokio::test]
    async fn one_that_is_not_given_back_or_was_closed_does_not_wait() {
        let (pool, origin) = (Pool::default(), Arc::from("https://a"));
        let (pooled, mut far) = connect(&pool, &origin).await;
        drop(pooled);
        assert_eq!(far.read(&mut [0; 1]).await.expect("it ends well"), 0);
        let (pooled, far) = connect(&pool, &origin).await;
        drop(far);
        while !pooled.sender.is_closed() {
            tokio::task::yield_now().await;
        }
        pooled.give_back();
        assert_eq!(pool.waiting().values().map(Vec::len).sum::<usize>(), 0);
    }
}
