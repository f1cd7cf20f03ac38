//! What a link does: it listens, and carries out what its [`Conduct`] says.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt};
use gatewarden_credentials::{FramesFor, GatewayCredential};
use gatewarden_feed::{FeedEvent, FrameReader};
use gatewarden_types::{Clock, Digest, Entropy, Id, Organization};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{interval, sleep},
};

use crate::{Conduct, ControlPlane, Disk, Effect, Happening, Recovered, Standing, Trouble, generation::Generation};

/// How often it is looked whether the disk wants a base.
const LOOKING: Duration = Duration::from_secs(1);

/// What a link is wired to.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// Takes the events.
    pub events: mpsc::Sender<FeedEvent>,
    /// Told when a base is wanted anew.
    pub wish: Arc<Notify>,
    /// How the gateway stands with the organization. The link says there how the disk does; how far calls are decided is said by
    /// whoever takes the events.
    pub standing: watch::Sender<Standing>,
    /// A clock that is never set: how old a policy is must not depend on what time somebody thinks it is.
    pub clock: Clock,
    /// Where salts come from.
    pub entropy: Entropy,
}

/// Follows one organization for as long as its gateway runs.
#[derive(Debug)]
pub struct Link {
    organization: Id<Organization>,
    credential: Arc<GatewayCredential>,
    control: ControlPlane,
    wiring: Wiring,
    disk: Disk,
    conduct: Conduct,
}

/// Why listening ended.
enum Ended {
    /// The gateway was removed.
    Removed,
    /// Nobody takes the events any more.
    Gone,
    /// The feed is to be asked for again after this time.
    AskAgain(Duration),
    /// There is no feed now.
    Trouble(Trouble),
}

impl From<Trouble> for Ended {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Link {
    /// The link of an enrolment, with its disk.
    pub fn new(
        organization: Id<Organization>,
        credential: Arc<GatewayCredential>,
        control: ControlPlane,
        wiring: Wiring,
        disk: Disk,
    ) -> Self {
        Self { organization, credential, control, wiring, disk, conduct: Conduct::new(organization) }
    }

    /// Goes on from what was on disk. False when nobody takes it.
    pub async fn recover(&mut self, recovered: Recovered) -> bool {
        let effect = self.conduct.recover(recovered, self.wiring.clock.now());
        self.carry_out(effect).await.is_ok()
    }

    /// Listens until the gateway is removed or nobody takes the events any more.
    pub async fn run(mut self) {
        loop {
            let Err(ended) = self.listen().await;
            let wait = match ended {
                Ended::Gone => return,
                Ended::Removed => return self.leave().await,
                Ended::AskAgain(wait) => wait,
                Ended::Trouble(trouble) => {
                    tracing::warn!(organization = %self.organization, error = %trouble, "no feed; the gateway goes on with the policy it has");
                    self.conduct.lost()
                }
            };
            sleep(wait).await;
        }
    }

    async fn listen(&mut self) -> Result<Infallible, Ended> {
        let salt = Digest(self.wiring.entropy.bytes());
        let mut reader = FrameReader::new(self.credential.frames(FramesFor::Feed, &salt.0));
        let (mut looking, wish) = (interval(LOOKING), Arc::clone(&self.wiring.wish));
        // What was wished before this feed is about what came before it, and is heard also where there is none.
        if wish.notified().now_or_never().is_some() {
            self.happens(Happening::Wished).await?;
        }
        let mut feed = self.control.feed(&self.credential, salt, self.conduct.asks()).await?;
        loop {
            tokio::select! {
                piece = feed.next() => match piece {
                    Some(piece) => {
                        reader.push(&piece?);
                        self.read(&mut reader).await?;
                    }
                    None => return Err(Trouble::Unreachable("the feed has ended".to_owned()).into()),
                },
                () = wish.notified() => self.happens(Happening::Wished).await?,
                _ = looking.tick() => self.happens(Happening::Looked(self.disk.wants_base())).await?,
            }
        }
    }

    async fn read(&mut self, reader: &mut FrameReader) -> Result<(), Ended> {
        loop {
            let happening = Happening::from(reader.next());
            let pauses = matches!(happening, Happening::Paused);
            self.happens(happening).await?;
            if pauses {
                return Ok(());
            }
        }
    }

    async fn happens(&mut self, happening: Happening) -> Result<(), Ended> {
        let effects = self.conduct.step(happening, &self.wiring.standing.borrow(), self.wiring.clock.now());
        for effect in effects {
            self.carry_out(effect).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, effect: Effect) -> Result<(), Ended> {
        // What cannot be kept is followed all the same: a full disk must not hold up a revocation.
        let kept = match effect {
            Effect::Pass(event) => {
                if let FeedEvent::Behind { organization, problem } = &event {
                    tracing::error!(%organization, %problem, "the feed is refused; the gateway goes on with the policy it has");
                }
                return self.pass(event).await;
            }
            Effect::AskAgain(wait) => return Err(Ended::AskAgain(wait)),
            Effect::Leave => return Err(Ended::Removed),
            Effect::Begin(events) => self.replace(events, Disk::begin).await?,
            Effect::Renew(events) => self.replace(events, Disk::renew).await?,
            Effect::Keep(event) => self.disk.keep(&event),
            Effect::Sync => self.disk.sync(),
            Effect::Doubt(followed) => self.disk.doubt(followed).map(drop),
            Effect::FallBack => match self.disk.doubt(None) {
                Ok(Some(left)) => {
                    let effect = self.conduct.fall_back(left, self.wiring.clock.now());
                    // In a box, because an effect might be this one again.
                    return Box::pin(self.carry_out(effect)).await;
                }
                done => done.map(drop),
            },
        };
        self.told(kept);
        Ok(())
    }

    /// Puts events into force, and then on disk in the place of a generation.
    async fn replace(
        &mut self,
        events: Vec<FeedEvent>,
        put: fn(&mut Disk, Generation) -> io::Result<()>,
    ) -> Result<io::Result<()>, Ended> {
        let generation = self.disk.compose(&events);
        for event in events {
            self.pass(event).await?;
        }
        Ok(generation.and_then(|generation| put(&mut self.disk, generation)))
    }

    async fn pass(&self, event: FeedEvent) -> Result<(), Ended> {
        self.wiring.events.send(event).await.map_err(|_| Ended::Gone)
    }

    fn told(&self, kept: io::Result<()>) {
        let trouble = kept.err().map(|bad| bad.to_string());
        if let Some(error) = &trouble {
            tracing::error!(organization = %self.organization, error, "the policy cannot be kept on disk");
        }
        // Once something failed, only a new generation is whole again.
        let trouble =
            trouble.or_else(|| self.wiring.standing.borrow().disk.clone().filter(|_| !self.disk.is_writing()));
        self.wiring.standing.send_if_modified(|standing| {
            let news = standing.disk != trouble;
            standing.disk = trouble;
            news
        });
    }

    async fn leave(mut self) {
        let organization = self.organization;
        tracing::warn!(%organization, "this gateway was removed; it drops the organization's policy");
        // Nobody takes it where the gateway ends as well.
        drop(self.wiring.events.send(FeedEvent::Removed(organization)).await);
        if let Err(bad) = self.disk.forget() {
            tracing::error!(%organization, error = %bad, "the policy that it kept on disk cannot be removed; delete the files policy-1 and policy-2 in its folder");
        }
        self.wiring.standing.send_modify(|standing| standing.removed = true);
    }
}
