use gatewarden_credentials::{FramesFor, SealedFor, SealingKey};
use gatewarden_feed::{Body, FeedEvent, FrameWriter, Position};
use tokio::sync::{mpsc, watch};

use super::{Admitted, admit::is_removed};
use crate::{App, follow::run_one};

/// How many frames may wait for a gateway that takes them slowly.
const WAITING: usize = 16;

/// What a gateway on another host is sent, in sealed frames that it alone can open: its organization's policy from
/// `from` on, for as long as it listens, is not removed, and does not ask for another. `salt` is the gateway's, new for each
/// feed.
pub fn feed(app: &App, admitted: Admitted, salt: &[u8; 32], from: Option<Position>) -> mpsc::Receiver<Vec<u8>> {
    let (events, followed) = mpsc::channel(WAITING);
    let (frames, sent) = mpsc::channel(WAITING);
    let writer = FrameWriter::new(admitted.credential.frames(FramesFor::Feed, salt));
    let sending = Sending {
        app: app.clone(),
        open: app.connected().begin_feed(admitted.gateway),
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
    open: watch::Receiver<()>,
    ending: watch::Receiver<bool>,
    writer: FrameWriter,
    frames: mpsc::Sender<Vec<u8>>,
}

impl Sending {
    /// Ends when the gateway listens no more, was removed, or has another feed, and with the program.
    async fn run(mut self, mut events: mpsc::Receiver<FeedEvent>) {
        let (mut ending, mut open) = (self.ending.clone(), self.open.clone());
        // It may have been removed since it was let in.
        if !self.was_removed().await {
            tokio::select! {
                () = self.follow(&mut events) => return,
                () = over(&mut ending) => return,
                () = closed(&mut open) => {}
            }
        }
        if self.was_removed().await {
            self.send(FeedEvent::Removed(self.admitted.organization)).await;
        }
    }

    /// Where that cannot be looked up, it is told the next time that it asks.
    async fn was_removed(&self) -> bool {
        let Admitted { organization, gateway, removed, .. } = self.admitted;
        removed || is_removed(&self.app, organization, gateway).await.unwrap_or(false)
    }

    async fn follow(&mut self, events: &mut mpsc::Receiver<FeedEvent>) {
        while let Some(event) = events.recv().await {
            if !self.send(event).await {
                return;
            }
        }
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
        let (organization, provider) = (self.admitted.organization, body.provider);
        let purpose = SealedFor::ProviderCredential { organization, provider };
        let opened = self.app.sealing.open(&body.sealed, purpose);
        let secret = opened.inspect_err(|bad| {
            tracing::error!(%organization, %provider, error = %bad, "gateways elsewhere call this provider without its secret");
        });
        // What was sealed once is not too long to be sealed again.
        let sealed = self.sealing.seal(&secret.ok()?, purpose, &self.app.entropy).ok()?;
        Some(Body { sealed, ..*body })
    }
}

/// Waits until the feed has to end.
async fn closed(open: &mut watch::Receiver<()>) {
    // Nothing is ever sent.
    while open.changed().await.is_ok() {}
}

/// Waits until nothing more is to be sent.
async fn over(ending: &mut watch::Receiver<bool>) {
    // Also when the app is gone.
    drop(ending.wait_for(|ending| *ending).await);
}
