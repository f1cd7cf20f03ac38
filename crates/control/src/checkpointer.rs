//! Signs checkpoints of the trails that have grown: at most one per second and organization, however many entries.

use std::{collections::BTreeSet, time::Duration};

use gatewarden_store::{Moved, StoreError};
use gatewarden_types::{Id, Organization};
use tokio::{
    sync::broadcast::{Receiver, error::TryRecvError},
    time::sleep,
};

use crate::App;

/// How long what has grown waits for more to come.
const PAUSE: Duration = Duration::from_secs(1);

/// Signs checkpoints until `stop` is over, and once more for what has grown until then. Begins with every
/// organization, because the last entries before the program ended may have none.
pub async fn run(app: App, stop: impl Future<Output = ()>) {
    let mut moves = app.store.moves();
    let mut grown = everyone(&app).await;
    tokio::pin!(stop);
    loop {
        grown = sign(&app, grown).await;
        tokio::select! {
            () = sleep(PAUSE) => collect(&app, &mut moves, &mut grown).await,
            () = &mut stop => break,
        }
    }
    collect(&app, &mut moves, &mut grown).await;
    sign(&app, grown).await;
}

/// Signs for each of these, and returns those for which it failed, to be tried again. A trail that is not what was signed
/// of it stays so until the operator has begun an epoch, so it is told of once.
async fn sign(app: &App, grown: BTreeSet<Id<Organization>>) -> BTreeSet<Id<Organization>> {
    let mut failed = BTreeSet::new();
    for organization in grown {
        match app.store.checkpoint(organization).await {
            Ok(_) => {}
            Err(bad @ StoreError::SecondHistory(_)) => {
                tracing::error!(%organization, error = %bad, "nothing is signed or changed any more");
            }
            Err(bad) => {
                tracing::warn!(%organization, error = %bad, "a checkpoint could not be signed; it is tried again");
                failed.insert(organization);
            }
        }
    }
    failed
}

async fn collect(app: &App, moves: &mut Receiver<Moved>, grown: &mut BTreeSet<Id<Organization>>) {
    loop {
        match moves.try_recv() {
            Ok(moved) => drop(grown.insert(moved.organization)),
            Err(TryRecvError::Lagged(_)) => grown.extend(everyone(app).await),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

async fn everyone(app: &App) -> BTreeSet<Id<Organization>> {
    match app.store.places().await {
        Ok(places) => places.into_iter().map(|place| place.id).collect(),
        Err(bad) => {
            tracing::warn!(error = %bad, "the organizations could not be listed; they get a checkpoint when they grow");
            BTreeSet::new()
        }
    }
}
