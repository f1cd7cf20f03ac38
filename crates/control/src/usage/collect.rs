use std::{collections::BTreeMap, time::Duration};

use gatewarden_types::{Backoff, Id, Organization};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{Observed, ingest};
use crate::{App, Error};

/// How many records of an organization wait at most until they can be kept; the oldest make room.
const MOST_WAITING: usize = 20_000;
/// How long keeping records may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last attempts may take together.
const ENDING: Duration = Duration::from_secs(8);

/// Keeps what gateways report until they report no more. What cannot be kept waits and is tried again, ever more
/// rarely; other organizations' records do not wait for it. At the end everything is tried once more, within seconds:
/// what cannot be kept then either is lost, and said to be.
pub async fn collect(app: App, mut batches: mpsc::Receiver<Vec<Observed>>) {
    let mut waiting = Waiting::default();
    loop {
        let due = waiting.due();
        tokio::select! {
            batch = batches.recv() => match batch {
                Some(batch) => waiting.add(batch),
                None => break,
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
        waiting.keep(&app, Some(Instant::now())).await;
    }
    // What there was no time for is told of below.
    drop(timeout(ENDING, waiting.keep(&app, None)).await);
    for (organization, pile) in waiting.0 {
        tracing::error!(%organization, calls = pile.records.len(), "usage could not be kept and is lost");
    }
}

/// What is to be kept, by organization.
#[derive(Default)]
struct Waiting(BTreeMap<Id<Organization>, Pile>);

#[derive(Default)]
struct Pile {
    records: Vec<Observed>,
    /// When it is tried again; at once where it has not been tried.
    due: Option<Instant>,
    backoff: Backoff,
}

impl Waiting {
    fn add(&mut self, batch: Vec<Observed>) {
        for observed in batch {
            self.0.entry(observed.organization).or_default().records.push(observed);
        }
        for (organization, pile) in &mut self.0 {
            let over = pile.records.len().saturating_sub(MOST_WAITING);
            if over > 0 {
                tracing::error!(%organization, calls = over, "the oldest usage that could not be kept is lost");
                pile.records.drain(..over);
            }
        }
    }

    /// When the first of those that failed is tried again.
    fn due(&self) -> Option<Instant> {
        self.0.values().filter_map(|pile| pile.due).min()
    }

    /// Keeps what is due at a moment; without one, everything. What is kept waits no longer.
    async fn keep(&mut self, app: &App, now: Option<Instant>) {
        let is_due = |pile: &Pile| now.is_none() || pile.due <= now;
        let due: Vec<_> = self.0.iter().filter(|(_, pile)| is_due(pile)).map(|(id, _)| *id).collect();
        for organization in due {
            let Some(pile) = self.0.get_mut(&organization) else { continue };
            if let Err(bad) = kept(app, &pile.records).await {
                tracing::warn!(%organization, error = %bad, calls = pile.records.len(), "usage could not be kept yet");
                pile.due = Some(Instant::now() + pile.backoff.failed());
            } else {
                self.0.remove(&organization);
            }
        }
    }
}

async fn kept(app: &App, records: &[Observed]) -> Result<(), Error> {
    let late = |_| Error::Internal("it took too long".to_owned());
    timeout(PATIENCE, ingest(app, records.to_vec())).await.map_err(late)?
}
