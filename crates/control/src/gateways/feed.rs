use gatewarden_credentials::{FramesFor, SealedFor, SealingKey};
use gatewarden_feed::{Body, FeedEvent, FrameWriter, Position};
use gatewarden_types::{Gateway, Id};
use tokio::sync::{
    broadcast::{Receiver, error::RecvError},
    mpsc, watch,
};

use super::Admitted;
use crate::{App, follow::run_one};

/// How many frames may wait for a gateway that takes them slowly.
const WAITING: usize = 16;

/// What a gateway on another host is sent, in sealed frames that it alone can open: its organization's policy from
/// `from` on, for as long as it listens and is not removed. `salt` is the gateway's, new for each feed.
pub fn feed(app: &App, admitted: Admitted, salt: &[u8; 32], from: Option<Position>) -> mpsc::Receiver<Vec<u8>> {
    let (events, followed) = mpsc::channel(WAITING);
    let (frames, sent) = mpsc::channel(WAITING);
    let writer = FrameWriter::new(admitted.credential.frames(FramesFor::Feed, salt));
    let sending = Sending {
        app: app.clone(),
        removals: app.connected().removals(),
        ending: app.connected().ending(),
        sealing: admitted.credential.sealing(),
        frames,
        writer,
        admitted,
    };
    if !sending.admitted.removed {
        tokio::spawn(run_one(app.clone(), sending.admitted.organization, from, events));
    }
    tokio::spawn(sending.run(followed));
    sent
}

struct Sending {
    app: App,
    admitted: Admitted,
    sealing: SealingKey,
    removals: Receiver<Id<Gateway>>,
    ending: watch::Receiver<bool>,
    writer: FrameWriter,
    frames: mpsc::Sender<Vec<u8>>,
}

impl Sending {
    /// Ends when the gateway listens no more or was removed, and with the program.
    async fn run(mut self, mut events: mpsc::Receiver<FeedEvent>) {
        let mut removed = self.admitted.removed;
        while !removed {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => if !self.send(event).await { return },
                    None => return,
                },
                () = over(&mut self.ending) => return,
                expelled = self.removals.recv() => removed = self.is_expelled(&expelled),
            }
        }
        self.send(FeedEvent::Removed(self.admitted.organization)).await;
    }

    /// One that missed some removals ends as well: it asks again, and is told then.
    fn is_expelled(&self, expelled: &Result<Id<Gateway>, RecvError>) -> bool {
        matches!(expelled, Ok(gateway) if *gateway == self.admitted.gateway)
    }

    async fn send(&mut self, event: FeedEvent) -> bool {
        let organization = self.admitted.organization;
        match self.writer.event(&self.resealed(event)) {
            Ok(frames) => self.frames.send(frames).await.is_ok(),
            Err(bad) => {
                tracing::error!(%organization, gateway = %self.admitted.gateway, error = %bad, "the gateway stays behind");
                false
            }
        }
    }

    fn resealed(&self, event: FeedEvent) -> FeedEvent {
        let all = |bodies: &[Body]| bodies.iter().filter_map(|body| self.body(body)).collect();
        match event {
            FeedEvent::Base { organization, seq, head, records, bodies } => {
                FeedEvent::Base { organization, seq, head, records, bodies: all(&bodies) }
            }
            FeedEvent::Entry { organization, bytes, bodies } => {
                FeedEvent::Entry { organization, bytes, bodies: all(&bodies) }
            }
            other => other,
        }
    }

    /// A provider's secret, sealed for this gateway. One that does not open here would not open there either.
    fn body(&self, body: &Body) -> Option<Body> {
        let organization = self.admitted.organization;
        let purpose = SealedFor::ProviderCredential { organization, provider: body.provider };
        let secret = self.app.sealing.open(&body.sealed, purpose).ok()?;
        let sealed = self.sealing.seal(&secret, purpose, &self.app.entropy).ok()?;
        Some(Body { sealed, ..*body })
    }
}

/// Waits until nothing more is to be sent.
async fn over(ending: &mut watch::Receiver<bool>) {
    // Also when the app is gone.
    drop(ending.wait_for(|ending| *ending).await);
}
