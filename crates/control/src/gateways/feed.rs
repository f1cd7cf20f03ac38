use gatewarden_credentials::{FramesFor, SealedFor, SealingKey};
use gatewarden_feed::{Asked, Body, FeedEvent, FrameWriter, NotWritten, Position};
use gatewarden_types::Backoff;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{Admitted, admit::is_removed};
use crate::{App, follow::run_one};

/// How many frames may wait for a gateway that takes them slowly.
const WAITING: usize = 16;

/// What a gateway on another host is sent, in sealed frames that it alone can open: its organization's policy as it was
/// asked for, for as long as it listens, is not removed, and does not ask for another. `salt` is the gateway's, new for each
/// feed.
pub fn feed(app: &App, admitted: Admitted, salt: &[u8; 32], asked: Asked) -> mpsc::Receiver<Vec<u8>> {
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
        known: asked.known,
        admitted,
    };
    if !sending.admitted.removed {
        tokio::spawn(run_one(app.clone(), sending.admitted.organization, asked, events));
    }
    tokio::spawn(sending.run(followed));
    sent
}

/// What a gateway could not be sent, and when that is tried again: ever more rarely, and not before something has changed,
/// because the whole policy has to be read for it.
struct Unsent {
    problem: String,
    /// Whether what is followed began after that, so that its bases say of the gateway what is so.
    anew: bool,
    changed: bool,
    due: Instant,
    backoff: Backoff,
}

/// What becomes of an event.
#[derive(Debug, PartialEq)]
enum Next {
    Send(FeedEvent),
    Leave,
    /// Following begins anew, with a base.
    Anew,
}

impl Unsent {
    /// The same after one more try, if there was one before.
    fn again(before: Option<Self>, problem: String, now: Instant) -> Self {
        let mut backoff = before.map(|before| before.backoff).unwrap_or_default();
        Self { problem, anew: false, changed: false, due: now + backoff.failed(), backoff }
    }

    /// What an event is to a gateway that lacks what came before it: no entry can be taken there, and nothing is current. It
    /// is told that it is behind instead, again and again, so that its feed is never silent.
    fn next(&mut self, event: FeedEvent, now: Instant) -> Next {
        self.changed |= matches!(event, FeedEvent::Entry { .. });
        let next = match event {
            FeedEvent::Base { .. } if !self.anew => Next::Anew,
            FeedEvent::Entry { .. } | FeedEvent::Current { .. } if self.changed && self.due <= now => Next::Anew,
            FeedEvent::Entry { .. } => Next::Leave,
            FeedEvent::Current { organization, .. } => {
                Next::Send(FeedEvent::Behind { organization, problem: self.problem.clone() })
            }
            other => Next::Send(other),
        };
        self.anew |= next == Next::Anew;
        next
    }
}

struct Sending {
    app: App,
    admitted: Admitted,
    sealing: SealingKey,
    open: watch::Receiver<()>,
    ending: watch::Receiver<bool>,
    writer: FrameWriter,
    frames: mpsc::Sender<Vec<u8>>,
    /// How far the gateway is.
    known: Option<Position>,
}

impl Sending {
    /// Ends when the gateway listens no more, was removed, or has another feed, and with the program.
    async fn run(mut self, events: mpsc::Receiver<FeedEvent>) {
        let (mut ending, mut open) = (self.ending.clone(), self.open.clone());
        // It may have been removed since it was let in.
        if !self.was_removed().await {
            tokio::select! {
                () = self.follow(events) => return,
                () = over(&mut ending) => return,
                () = closed(&mut open) => {}
            }
        }
        if self.was_removed().await {
            // Nobody takes it where the gateway listens no more.
            drop(self.send(FeedEvent::Removed(self.admitted.organization)).await);
        }
    }

    /// Where that cannot be looked up, it is told the next time that it asks.
    async fn was_removed(&self) -> bool {
        let Admitted { organization, gateway, removed, .. } = self.admitted;
        removed || is_removed(&self.app, organization, gateway).await.unwrap_or(false)
    }

    async fn follow(&mut self, mut events: mpsc::Receiver<FeedEvent>) {
        let mut unsent = None::<Unsent>;
        while let Some(event) = events.recv().await {
            let next = match &mut unsent {
                Some(unsent) => unsent.next(event, Instant::now()),
                None => Next::Send(event),
            };
            let event = match next {
                Next::Send(event) => event,
                Next::Leave => continue,
                Next::Anew => {
                    events = self.begin();
                    continue;
                }
            };
            let whole = matches!(event, FeedEvent::Base { .. });
            match self.send(event).await {
                Ok(()) if whole => unsent = None,
                Ok(()) => {}
                Err(NotSent::Gone) => return,
                Err(NotSent::Unwritable(bad)) => {
                    let behind = self.behind(&bad);
                    unsent = Some(Unsent::again(unsent, bad.to_string(), Instant::now()));
                    if self.send(behind).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Follows the organization from a base on. What was followed before ends by it.
    fn begin(&self) -> mpsc::Receiver<FeedEvent> {
        let (events, followed) = mpsc::channel(WAITING);
        let asked = Asked { known: self.known, wants_base: true };
        tokio::spawn(run_one(self.app.clone(), self.admitted.organization, asked, events));
        followed
    }

    /// That the gateway stays behind, for its log and the Gateways page.
    fn behind(&self, bad: &NotWritten) -> FeedEvent {
        let Admitted { organization, gateway, .. } = self.admitted;
        tracing::error!(%organization, %gateway, error = %bad, "the gateway stays behind; it is tried again when something has changed");
        FeedEvent::Behind { organization, problem: bad.to_string() }
    }

    async fn send(&mut self, event: FeedEvent) -> Result<(), NotSent> {
        let leads_to = event.leads_to();
        let frames = self.writer.event(&self.resealed(event)).map_err(NotSent::Unwritable)?;
        self.frames.send(frames).await.map_err(|_| NotSent::Gone)?;
        self.known = leads_to.or(self.known);
        Ok(())
    }

    fn resealed(&self, event: FeedEvent) -> FeedEvent {
        let all = |bodies: &[Body]| bodies.iter().filter_map(|body| self.body(body)).collect();
        match event {
            FeedEvent::Base { organization, seq, head, continues, records, bodies } => {
                FeedEvent::Base { organization, seq, head, continues, records, bodies: all(&bodies) }
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

/// Why an event was not sent.
enum NotSent {
    Gone,
    Unwritable(NotWritten),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gatewarden_types::{Digest, Id, Timestamp};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_policy_that_cannot_be_sent_is_tried_again_when_it_has_changed_and_ever_more_rarely() {
        let organization = Id::from_uuid(Uuid::from_u128(1));
        let current = || FeedEvent::Current { organization, at: Timestamp::default() };
        let entry = || FeedEvent::Entry { organization, bytes: Vec::new(), bodies: Vec::new() };
        let behind = || Next::Send(FeedEvent::Behind { organization, problem: "too large".to_owned() });
        let (start, after) = (Instant::now(), Duration::from_secs);
        let mut unsent = Unsent::again(None, "too large".to_owned(), start);
        assert_eq!(unsent.next(current(), start + after(3600)), behind(), "nothing has changed");
        assert_eq!(unsent.next(entry(), start), Next::Leave, "it cannot be taken there");
        assert_eq!(unsent.next(current(), start), behind(), "it is not due");
        assert_eq!(unsent.next(current(), start + after(1)), Next::Anew);
        let mut unsent = Unsent::again(Some(unsent), "too large".to_owned(), start);
        assert_eq!(unsent.next(entry(), start + after(1)), Next::Leave, "a wait that is twice as long");
        assert_eq!(unsent.next(current(), start + after(2)), Next::Anew);
        let base = || {
            let (head, records, bodies) = (Digest([1; 32]), Vec::new(), Vec::new());
            FeedEvent::Base { organization, seq: 1, head, continues: true, records, bodies }
        };
        assert_eq!(unsent.next(base(), start), Next::Send(base()), "of what began anew");
        let mut unsent = Unsent::again(Some(unsent), "too large".to_owned(), start);
        assert_eq!(unsent.next(base(), start), Next::Anew, "it continues what the gateway was not sent");
        assert_eq!(unsent.next(base(), start), Next::Send(base()));
    }
}
