use std::collections::BTreeSet;

use gatewarden_control::{
    follow::{self, FeedEvent, Position},
    providers::{self, SecretChange, UpdateProvider},
};
use gatewarden_credentials::Secret;
use gatewarden_testkit::World;
use gatewarden_trail::{Entry, Folded, fold, leaf_hash};
use gatewarden_types::{AnyRecord, Digest, Id, Organization, Seq};
use tokio::sync::mpsc;

use crate::given::{model, provider};

/// The events up to the one that says that this was all.
async fn caught_up(events: &mut mpsc::Receiver<FeedEvent>) -> Vec<FeedEvent> {
    let mut seen = Vec::new();
    loop {
        match events.recv().await.unwrap() {
            FeedEvent::CaughtUp => return seen,
            event => seen.push(event),
        }
    }
}

/// Whose entry came, and which.
fn position(event: &FeedEvent) -> (Id<Organization>, Seq) {
    let FeedEvent::Entry { organization, bytes, .. } = event else { panic!("{event:?}") };
    (*organization, Entry::from_bytes(bytes).unwrap().seq)
}

fn at(seq: Seq, head: Digest) -> Position {
    Position { seq, head }
}

/// The leaf hashes of the organization's trail.
async fn heads(world: &World) -> Vec<Digest> {
    let entries = world.trail(world.org()).await;
    entries.iter().map(|stored| Digest(leaf_hash(&stored.bytes))).collect()
}

gatewarden_testkit::on_both! {
    async fn a_base_is_what_the_entries_fold_to(world: World) {
        let added = provider(&world, "One").await.value;
        model(&world, "fast", added.id).await;
        let base = follow::base(world.app(), world.org(), None).await.unwrap();
        let mut folded = Folded::new();
        for stored in world.trail(world.org()).await {
            fold(&mut folded, &Entry::from_bytes(&stored.bytes).unwrap());
        }
        let by_entries: BTreeSet<_> = folded.keys().map(|(_, id)| *id).collect();
        let by_rows: BTreeSet<_> = base.records.iter().map(AnyRecord::uuid).collect();
        assert_eq!(by_entries, by_rows);
        assert_eq!(base.seq, world.trail(world.org()).await.len() as u64);
        let names: Vec<_> = base.bodies.iter().map(|body| (body.name, body.sealed.reference())).collect();
        assert_eq!(names, [(added.credential.unwrap(), added.credential.unwrap())]);
    }

    async fn a_base_says_whether_the_trail_has_what_its_gateway_knows(world: World) {
        let (app, org) = (world.app(), world.org());
        provider(&world, "One").await;
        let heads = heads(&world).await;
        let (first, last, end) = (heads[0], heads[heads.len() - 1], heads.len() as u64);
        for (known, continues) in [
            (None, false),
            (Some(at(1, first)), true),
            (Some(at(end, last)), true),
            (Some(at(1, last)), false),
            (Some(at(end + 1, last)), false),
        ] {
            assert_eq!(follow::base(app, org, known).await.unwrap().continues, continues, "{known:?}");
        }
    }

    async fn entries_come_with_the_secrets_that_still_are(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let added = provider(&world, "One").await;
        let secret = SecretChange::Replace(Secret::new("sk-second".to_owned()));
        let command = UpdateProvider { provider: added.value.id, name: None, base_url: None, secret, seen: None };
        providers::update(app, &owner, org, command).await.unwrap();
        let heads = heads(&world).await;
        let after = |seq: Seq| follow::entries_after(app, org, at(seq, heads[usize::try_from(seq).unwrap() - 1]));
        let entries = after(added.version - 1).await.unwrap().unwrap();
        let bodies: Vec<_> = entries.iter().map(|entry| entry.bodies.len()).collect();
        assert_eq!(bodies, [0, 1], "the first secret was erased when it was replaced");
        assert!(after(added.version + 1).await.unwrap().is_some_and(|entries| entries.is_empty()));
        for lacks in [at(added.version, heads[0]), at(added.version + 2, heads[0])] {
            assert!(follow::entries_after(app, org, lacks).await.unwrap().is_none(), "{lacks:?}");
        }
    }

    async fn an_organization_that_cannot_be_read_holds_up_nobody_and_heals(world: World) {
        let beneath = world.beneath(world.other_org()).await;
        let (members, hidden) = (beneath.name("members"), beneath.name("hidden"));
        beneath.run(&format!("ALTER TABLE {members} RENAME TO hidden")).await.unwrap();
        let (sender, mut events) = mpsc::channel(4);
        let (wishes, wished) = mpsc::channel(1);
        let _feed = tokio::spawn(follow::run(world.app().clone(), sender, wished));
        let mut seen: Vec<_> = caught_up(&mut events).await.into_iter().map(|event| match event {
            FeedEvent::Base { organization, .. } => (organization, true),
            FeedEvent::Behind { organization, problem } if !problem.is_empty() => (organization, false),
            other => panic!("{other:?}"),
        }).collect();
        seen.sort_unstable_by_key(|(_, readable)| *readable);
        assert_eq!(seen, [(world.other_org(), false), (world.org(), true)]);
        let added = provider(&world, "One").await;
        let event = events.recv().await.unwrap();
        assert_eq!(position(&event), (world.org(), added.version));
        beneath.run(&format!("ALTER TABLE {hidden} RENAME TO members")).await.unwrap();
        wishes.send(world.other_org()).await.unwrap();
        let event = events.recv().await.unwrap();
        assert!(matches!(&event, FeedEvent::Base { organization, .. } if *organization == world.other_org()), "{event:?}");
    }

    async fn a_base_that_is_wished_for_comes_as_it_is_now(world: World) {
        let (sender, mut events) = mpsc::channel(4);
        let (wishes, wished) = mpsc::channel(1);
        let _feed = tokio::spawn(follow::run(world.app().clone(), sender, wished));
        caught_up(&mut events).await;
        let version = provider(&world, "One").await.version;
        assert_eq!(position(&events.recv().await.unwrap()), (world.org(), version));
        wishes.send(world.org()).await.unwrap();
        let event = events.recv().await.unwrap();
        assert!(matches!(&event, FeedEvent::Base { organization, seq, continues: true, .. } if (*organization, *seq) == (world.org(), version)), "{event:?}");
    }

    async fn a_feed_begins_with_bases_and_goes_on_with_every_entry(world: World) {
        let (sender, mut events) = mpsc::channel(4);
        let (_wishes, wished) = mpsc::channel(1);
        let feed = tokio::spawn(follow::run(world.app().clone(), sender, wished));
        let seen = caught_up(&mut events).await;
        let bases: BTreeSet<_> = seen
            .iter()
            .map(|event| match event {
                FeedEvent::Base { organization, .. } => *organization,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(bases, [world.org(), world.other_org()].into());
        let one = provider(&world, "One").await;
        let two = provider(&world, "Two").await;
        for version in [one.version, two.version] {
            let event = events.recv().await.unwrap();
            assert_eq!(position(&event), (world.org(), version));
            assert!(matches!(&event, FeedEvent::Entry { bodies, .. } if bodies.len() == 1), "{event:?}");
        }
        let third = world.found("third").await;
        let event = events.recv().await.unwrap();
        assert!(matches!(&event, FeedEvent::Base { organization, .. } if *organization == third.id), "{event:?}");
        drop(events);
        feed.await.unwrap();
    }
}
