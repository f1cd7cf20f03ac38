//! What leaves a trail for verifiers that are not ours: exports and proofs.

use gatewarden_control::{
    members::{self, ChangeMemberRole},
    trail,
};
use gatewarden_trail::{Entry, Proof, Tiler};
use gatewarden_types::{Actor, Builtin, Job, Via};

use crate::actors::{self, Answer::Done, Answer::No, FOR_ADMINS, Told, Who, but};
use crate::given::provider;

/// Who may read a trail.
fn readers() -> Told {
    but(FOR_ADMINS, [(Who::Viewer, Done), (Who::Member, No("permission_missing"))])
}

gatewarden_testkit::on_both! {
    // proves KT-046
    async fn an_export_is_noted_and_then_gives_every_entry_under_one_checkpoint(world: World) {
        let (app, org) = (world.app(), world.org());
        let mut export = trail::export(app, &trail::operator(app), org).await.unwrap();
        let mut tiler = Tiler::default();
        let mut last = None;
        loop {
            let page = export.next().await.unwrap();
            let Some(stored) = page.last() else { break };
            last = Some(Entry::from_bytes(&stored.bytes).unwrap());
            for stored in &page {
                tiler.push(&stored.bytes).unwrap();
            }
        }
        let last = last.unwrap();
        assert_eq!((last.action.as_str(), last.seq, last.via), ("trail.export", export.size(), Via::CommandLine));
        assert_eq!((last.actor, last.changes.len()), (Actor::System(Job::Export), 0));
        let (_, tree) = tiler.finish();
        assert!(export.is_signed(&tree));
        assert!(!export.is_signed(&gatewarden_trail::Frontier::default()));
        let told = trail::read(app, &world.viewer().caller(), org, last.seq).await.unwrap().unwrap();
        assert_eq!(told.names.actor(told.entry.actor), "Gatewarden (export)");
    }

    async fn who_may_read_a_trail_exports_it_and_nobody_else(world: World) {
        let export = async |caller, ()| trail::export(world.app(), &caller, world.org()).await.map(drop);
        let done = actors::change(&world, "trail.export", &readers(), async |_| (), export).await;
        assert!(done.iter().all(|(_, (), entry)| entry.changes.is_empty()));
    }

    async fn who_may_not_any_more_gets_no_further_page(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let mut export = trail::export(app, &world.viewer().caller(), org).await.unwrap();
        let command = ChangeMemberRole { member: world.viewer().id(), role: world.role(Builtin::Member), seen: None };
        members::change_role(app, &owner, org, command).await.unwrap();
        assert!(export.next().await.is_err());
    }

    async fn an_export_with_a_missing_entry_stops_and_says_so(world: World) {
        let (app, org) = (world.app(), world.org());
        let beneath = world.beneath(org).await;
        beneath.unprotect("entries").await;
        beneath.run("DELETE FROM entries WHERE seq = 2").await.unwrap();
        let mut export = trail::export(app, &trail::operator(app), org).await.unwrap();
        assert!(export.next().await.unwrap_err().to_string().contains("trail verify"));
    }

    async fn every_entry_is_proven_to_who_may_read_it(world: World) {
        let (app, org, viewer) = (world.app(), world.org(), world.viewer().caller());
        let (key, origin) = (app.store.verifying_key(org).unwrap(), app.store.log(org).unwrap().origin(1));
        let proven = async |seq| {
            let proof = trail::prove(app, &viewer, org, seq).await.unwrap().unwrap();
            Proof::parse(&proof.text()).unwrap().verify(key, &origin).unwrap()
        };
        assert_eq!(proven(1).await.seq, 1, "a checkpoint is signed where there is none");
        let last = provider(&world, "One").await.version;
        for seq in 1..=last {
            assert_eq!(proven(seq).await.seq, seq);
        }
        for absent in [0, last + 1] {
            assert!(trail::prove(app, &viewer, org, absent).await.unwrap().is_none());
        }
        actors::read(&world, &readers(), async |caller| trail::prove(app, &caller, org, 1).await).await;
    }

    async fn an_entry_that_was_changed_underneath_is_not_proven(world: World) {
        let (app, org, viewer) = (world.app(), world.org(), world.viewer().caller());
        let beneath = world.beneath(org).await;
        beneath.unprotect("entries").await;
        beneath.run("UPDATE entries SET bytes = (SELECT bytes FROM entries WHERE seq = 1) WHERE seq = 2").await.unwrap();
        assert!(trail::prove(app, &viewer, org, 1).await.unwrap().is_some());
        let refused = trail::prove(app, &viewer, org, 2).await.unwrap_err().to_string();
        assert!(refused.contains("entry 2") && refused.contains("trail verify"), "{refused}");
    }
}
