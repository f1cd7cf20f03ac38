//! `run`: the gateway and its links, until someone ends them.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use gatewarden_ambient::{End, Wish, clock, entropy, steady};
use gatewarden_feed::{FeedEvent, UsageRecord};
use gatewarden_gateway::{Batch, Config, Gateway, Lines, SealingKeys, Snapshot, Telling, Unreadable, Witness};
use gatewarden_link::{ControlPlane, Disk, Enrolment, Enrolments, Link, Standing, Start, Wiring, enrolments, report};
use gatewarden_types::{AllowedNetworks, Id, Organization, Seq};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{interval, timeout},
};

use crate::{cli::Run, leaving::Leaving};

/// How many events and batches may wait.
const WAITING: usize = 256;
/// How often it is looked whether an enrolment that was ended can be forgotten.
const LOOKING: Duration = Duration::from_secs(1);

/// One enrolment, with what it is wired to.
struct Wired {
    enrolment: Enrolment,
    control: ControlPlane,
    wish: Arc<Notify>,
    standing: watch::Sender<Standing>,
}

type Wireds = Arc<BTreeMap<Id<Organization>, Wired>>;

/// Serves until it is asked to end.
pub async fn run(asked: Run) -> anyhow::Result<()> {
    let mut end = End::new()?;
    let wired = Arc::new(wired(&asked)?);
    let (events, feed) = mpsc::channel(WAITING);
    let gateway = start(&asked, Arc::clone(&wired), feed)?;
    tracing::info!(listen = %gateway.addr(), organizations = wired.len(), "serving");
    println!("Gatewarden's gateway listens on {}", gateway.addr());
    follow(&wired, events)?;
    tokio::select! {
        () = asked_to_end(&mut end, &gateway, Duration::from_secs(asked.linger)) => {}
        never = forget_removed(&gateway, &wired) => match never {},
    }
    tracing::info!("ending; calls may go on for a while");
    tokio::select! {
        () = gateway.shutdown() => Ok(()),
        () = end.asked_again() => bail!("ended at once, because it was asked again: calls were cut off"),
    }
}

/// Waits until connections are to be taken no more. SIGTERM gives whatever spreads calls the time to pass this gateway over;
/// someone at a terminal does not wait for that.
async fn asked_to_end(end: &mut End, gateway: &Gateway, linger: Duration) {
    if end.asked().await == Wish::Terminate {
        gateway.begin_draining();
        tracing::info!(seconds = linger.as_secs(), "calls are to go elsewhere; those that still come are answered");
        // Asked again, it waits no longer.
        drop(timeout(linger, end.asked_again()).await);
    }
}

fn wired(asked: &Run) -> anyhow::Result<BTreeMap<Id<Organization>, Wired>> {
    let data = asked.data.display();
    let Enrolments { usable, mut problems } =
        enrolments(&asked.data).with_context(|| format!("{data} cannot be read"))?;
    let mut wired = BTreeMap::new();
    for enrolment in usable {
        match ControlPlane::new(enrolment.control.clone()) {
            Ok(control) => {
                let (organization, wish, standing) = (enrolment.organization, Arc::default(), watch::Sender::default());
                wired.insert(organization, Wired { enrolment, control, wish, standing });
            }
            Err(bad) => problems.push(format!("{} cannot be used: {bad}", enrolment.folder.display())),
        }
    }
    if wired.is_empty() {
        let what = match problems.as_slice() {
            [] => "no organization has let this gateway in yet".to_owned(),
            problems => format!("no enrolment in {data} can be used ({})", problems.join("; ")),
        };
        bail!(
            "{what}: add a gateway in the console under Gateways, and run \
             gatewarden-gateway enroll --control URL --token TOKEN --data {data}"
        );
    }
    for problem in problems {
        tracing::error!("{problem}; this gateway serves without it");
    }
    Ok(wired)
}

fn start(asked: &Run, wired: Wireds, feed: mpsc::Receiver<FeedEvent>) -> anyhow::Result<Gateway> {
    let mut config = Config::new(asked.listen, asked.data.join("usage"));
    config.allow_private = AllowedNetworks(asked.allow_private.clone());
    config.workers = asked.workers.unwrap_or(config.workers);
    let (usage, batches) = mpsc::channel(WAITING);
    tokio::spawn(hand_over(batches, Arc::clone(&wired)));
    let (limits, tellings) = mpsc::unbounded_channel();
    tokio::spawn(share_limits(tellings, Arc::clone(&wired)));
    let (wishes, wished) = mpsc::channel(WAITING);
    tokio::spawn(pass_on(wished, Arc::clone(&wired)));
    let sealing = wired.iter().map(|(organization, wired)| (*organization, wired.enrolment.credential.sealing()));
    let enrolled = wired.iter().map(|(organization, wired)| (*organization, wired.enrolment.credential.gateway()));
    let lines = Lines {
        feed,
        usage,
        wishes,
        limits,
        sealing: SealingKeys::Each(sealing.collect()),
        enrolled: enrolled.collect(),
        witness: witness(wired),
        clock: clock(),
        steady: steady(),
        entropy: entropy(),
    };
    Gateway::start(&config, lines).with_context(|| format!("the gateway cannot start at {}", config.listen))
}

/// Tells each link how far the gateway is with its organization.
fn witness(wired: Wireds) -> Witness {
    Witness::new(move |organization, policy: &Snapshot| {
        if let Some(wired) = wired.get(&organization) {
            wired.standing.send_modify(|standing| {
                standing.position = policy.position(organization);
                standing.epoch = policy.epoch(organization);
                standing.problem = policy.problem(organization).map(Unreadable::to_string);
            });
        }
    })
}

/// Hands each organization's calls to its control plane. What cannot be handed over comes again.
async fn hand_over(mut batches: mpsc::Receiver<Batch>, wired: Wireds) {
    while let Some(batch) = batches.recv().await {
        let mut by_place: BTreeMap<Id<Organization>, Vec<UsageRecord>> = BTreeMap::new();
        for call in &batch.records {
            by_place.entry(call.organization).or_default().push(call.clone());
        }
        let mut not_kept = BTreeSet::new();
        for (organization, calls) in by_place {
            let Some(wired) = wired.get(&organization) else {
                tracing::warn!(%organization, calls = calls.len(), "usage of an organization that this gateway has no enrolment of is dropped");
                continue;
            };
            let kept = wired.control.keep(&wired.enrolment.credential, &calls).await;
            if let Err(bad) = kept {
                tracing::warn!(%organization, error = %bad, calls = calls.len(), "usage waits in the spool");
                not_kept.insert(organization);
            }
        }
        batch.kept_except(not_kept);
    }
}

/// Tells each organization's control plane what was let through. What nobody took in is told again.
async fn share_limits(mut tellings: mpsc::UnboundedReceiver<Telling>, wired: Wireds) {
    while let Some(telling) = tellings.recv().await {
        let wired = Arc::clone(&wired);
        // Each for itself: one control plane that is silent must not hold up the others.
        tokio::spawn(async move {
            let Some(wired) = wired.get(&telling.organization) else { return };
            match wired.control.share_limits(&wired.enrolment.credential, &telling.spending).await {
                Ok(tallied) => telling.answered(&tallied),
                Err(bad) => {
                    tracing::debug!(error = %bad, "the other gateways are not told what was let through");
                }
            }
        });
    }
}

async fn pass_on(mut wishes: mpsc::Receiver<Id<Organization>>, wired: Wireds) {
    while let Some(organization) = wishes.recv().await {
        if let Some(wired) = wired.get(&organization) {
            wired.wish.notify_one();
        }
    }
}

/// Forgets the enrolments of organizations that have removed this gateway, once nothing is left to be handed over with them.
async fn forget_removed(gateway: &Gateway, wired: &Wireds) -> Infallible {
    let (mut looking, mut leaving) = (interval(LOOKING), Leaving::default());
    loop {
        looking.tick().await;
        let removed = wired.values().filter(|wired| wired.standing.borrow().removed);
        let removed = removed.map(|wired| wired.enrolment.organization).collect();
        for organization in leaving.look(&removed, gateway.status().usage) {
            if let Some(Err(bad)) = wired.get(&organization).map(|wired| wired.enrolment.forget()) {
                tracing::error!(%organization, error = %bad, "an enrolment that was ended cannot be removed; delete its folder");
            }
        }
    }
}

/// Starts the links: each first gives what is on its disk, then listens. Once all of them have given a policy, from disk or
/// from their feed, or none is to be expected, the gateway is ready.
fn follow(wired: &Wireds, events: mpsc::Sender<FeedEvent>) -> anyhow::Result<()> {
    let (steady, entropy) = (steady(), entropy());
    let mut recovering = Vec::new();
    for wired in wired.values() {
        let Wired { enrolment, control, wish, standing } = wired;
        let credential = &enrolment.credential;
        let wiring = Wiring {
            events: events.clone(),
            wish: Arc::clone(wish),
            standing: standing.clone(),
            clock: steady.clone(),
            entropy: entropy.clone(),
        };
        let (folder, organization) = (enrolment.folder.as_path(), enrolment.organization);
        let (disk, Start { recovered, problems, removed }) =
            Disk::open(folder, Arc::clone(credential), organization, entropy.clone());
        standing.send_modify(|standing| standing.removed = removed);
        for problem in problems {
            tracing::error!(%organization, %problem, "a kept policy is not used");
        }
        let mut link = Link::new(organization, Arc::clone(credential), control.clone(), wiring, disk);
        let (control, credential, standing) = (control.clone(), Arc::clone(credential), standing.subscribe());
        let from = recovered.as_ref().and_then(|recovered| recovered.course.position()).map(|position| position.seq);
        recovering.push((standing.clone(), from));
        tokio::spawn(async move {
            if let Some(recovered) = recovered {
                if !link.recover(recovered).await {
                    return;
                }
                // It must not say that it has no policy while it has only not been taken in.
                drop(standing.clone().wait_for(|standing| standing.has_taken_in(from)).await);
            }
            tokio::join!(link.run(), report(control, credential, standing));
        });
    }
    tokio::spawn(say_when_ready(recovering, events));
    Ok(())
}

async fn say_when_ready(standings: Vec<(watch::Receiver<Standing>, Option<Seq>)>, events: mpsc::Sender<FeedEvent>) {
    for (mut standing, from) in standings {
        // All that was on disk that can be followed, and not what it begins with. The senders live as long as the gateway.
        drop(standing.wait_for(|standing| standing.is_settled(from)).await);
    }
    // Nobody takes it where the gateway has ended.
    drop(events.send(FeedEvent::CaughtUp).await);
}
