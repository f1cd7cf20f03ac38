//! A backup is restored: nothing is signed twice, and the trail goes on in a new epoch once the operator says so.

use gatewarden_control::{
    App, Error, StoreError, checkpointer,
    trail::{self, EntryFilter, Verification},
};
use gatewarden_store::SecondHistory;
use gatewarden_testkit::{Beneath, World};
use gatewarden_trail::{Finding, Proof, Superseded};
use gatewarden_types::{Actor, Job, Via};

use crate::given::{provider, refused};

/// The tables of a trail, and what says how far each row is.
const TRAIL: [(&str, &str); 4] = [("entries", "seq"), ("leaves", "seq"), ("changes", "seq"), ("checkpoints", "size")];

/// A way into the organization's tables past what keeps them append-only.
async fn unprotected(world: &World) -> Beneath {
    let beneath = world.beneath(world.org()).await;
    for (table, _) in TRAIL {
        beneath.unprotect(table).await;
    }
    beneath
}

/// Takes away all of the trail after an entry, as an organization's backup of then would.
async fn restore(beneath: &Beneath, size: u64) {
    for (table, column) in TRAIL {
        beneath.run(&format!("DELETE FROM {table} WHERE {column} > {size}")).await.unwrap();
    }
}

/// Adds an entry that changes no record, and signs it. Answers its seq.
async fn grow(app: &App, world: &World) -> u64 {
    trail::export(app, &trail::operator(app), world.org()).await.unwrap().size()
}

/// A backup was made at the first entry that is answered, all was signed up to the second, and the backup is restored.
async fn backup_restored(world: &World, beneath: &Beneath) -> (u64, u64) {
    let size = grow(world.app(), world).await;
    let signed = grow(world.app(), world).await;
    restore(beneath, size).await;
    (size, signed)
}

async fn verified(app: &App, world: &World) -> Verification {
    trail::verify(app, world.org(), |_, _| ()).await.unwrap()
}

fn found<T: std::fmt::Debug>(result: Result<T, StoreError>) -> SecondHistory {
    match result {
        Err(StoreError::SecondHistory(found)) => found,
        other => panic!("{other:?}"),
    }
}

gatewarden_testkit::on_both! {
    async fn a_restored_trail_is_neither_signed_nor_changed_and_says_what_to_run(world: World) {
        let (size, signed) = backup_restored(&world, &unprotected(&world).await).await;
        let (app, org) = (world.open_again().await.unwrap(), world.org());
        assert!(app.store.checkpoint(world.other_org()).await.unwrap().is_some(), "others go on");
        let before = (world.trail_tables(org).await, world.control_tables().await);
        assert_eq!(found(app.store.checkpoint(org).await), SecondHistory::Shorter { size, signed });
        checkpointer::run(app.clone(), async {}).await;
        let change = trail::export(&app, &trail::operator(&app), org).await.unwrap_err();
        assert!(matches!(change, Error::Store(StoreError::SecondHistory(_))), "{change:?}");
        assert!(change.to_string().contains("`gatewarden trail restored`"), "{change}");
        assert_eq!(verified(&app, &world).await, Verification::Wrong(Finding::Cut { size, kept: signed }));
        let page = trail::list(&app, &world.viewer().caller(), org, &EntryFilter::default(), 5).await.unwrap();
        assert_eq!(page.history, trail::History::Second(SecondHistory::Shorter { size, signed }), "who reads it is told");
        assert!(before == (world.trail_tables(org).await, world.control_tables().await), "nothing was written");
    }

    async fn a_new_epoch_goes_on_from_the_backup_and_supersedes_what_was_signed_after_it(world: World) {
        let (size, signed) = backup_restored(&world, &unprotected(&world).await).await;
        let (app, org, viewer) = (world.open_again().await.unwrap(), world.org(), world.viewer().caller());
        let begun = trail::begin_epoch(&app, &trail::restorer(&app), org).await.unwrap();
        assert_eq!((begun.value.epoch, begun.version), (2, size + 1));
        let read = trail::read(&app, &viewer, org, begun.version).await.unwrap().unwrap();
        assert_eq!((read.entry.actor, read.entry.via), (Actor::System(Job::Restore), Via::CommandLine));
        assert_eq!((&*read.entry.action, read.covered_by), ("trail.begin_epoch", Some(size + 1)));

        let now = grow(&app, &world).await;
        assert_eq!(now, size + 2, "the new epoch signs positions that the old one had signed");
        let told = verified(&app, &world).await;
        let Verification::Verified { epoch, ref superseded, .. } = told else { panic!("{told:?}") };
        assert_eq!((epoch, &**superseded), (2, &[Superseded { epoch: 1, size: signed }][..]));
        assert!(told.to_string().ends_with(&format!("in epoch 2; what was signed in epoch 1 up to entry {signed} is superseded")));

        let log = app.store.log(org).unwrap();
        let export = trail::export(&app, &trail::operator(&app), org).await.unwrap();
        assert!(export.key().starts_with(&format!("{}+", log.origin(2))));
        for seq in [1, size, size + 1] {
            let proof = trail::prove(&app, &viewer, org, seq).await.unwrap().unwrap();
            assert_eq!(Proof::parse(&proof.text()).unwrap().verify(log.key(), &log.origin(2)).unwrap().seq, seq);
        }
    }

    async fn a_tail_cut_off_in_a_new_epoch_is_found(world: World) {
        let beneath = unprotected(&world).await;
        let (size, _) = backup_restored(&world, &beneath).await;
        let app = world.open_again().await.unwrap();
        trail::begin_epoch(&app, &trail::restorer(&app), world.org()).await.unwrap();
        let kept = grow(&app, &world).await;
        restore(&beneath, size + 1).await;
        assert_eq!(verified(&app, &world).await, Verification::Wrong(Finding::Cut { size: size + 1, kept }));
    }

    async fn beginning_an_epoch_once_more_does_no_harm(world: World) {
        backup_restored(&world, &unprotected(&world).await).await;
        let app = world.open_again().await.unwrap();
        for epoch in [2, 3] {
            let begun = trail::begin_epoch(&app, &trail::restorer(&app), world.org()).await.unwrap();
            assert_eq!(begun.value.epoch, epoch);
            assert!(matches!(verified(&app, &world).await, Verification::Verified { epoch: is, .. } if is == epoch));
        }
        provider(&world, "One").await;
    }

    async fn a_backup_of_an_earlier_epoch_skips_the_epochs_that_were_signed(world: World) {
        let (app, org) = (world.app(), world.org());
        let beneath = unprotected(&world).await;
        let version = beneath.texts("SELECT CAST(version AS TEXT) FROM organization").await.pop().unwrap();
        let size = grow(app, &world).await;
        trail::begin_epoch(app, &trail::restorer(app), org).await.unwrap();
        restore(&beneath, size).await;
        beneath.run(&format!("UPDATE organization SET epoch = 1, version = {version}")).await.unwrap();
        let app = world.open_again().await.unwrap();
        assert_eq!(found(app.store.checkpoint(org).await), SecondHistory::Earlier { epoch: 1, signed: 2 });
        let wrong = Finding::Epoch { size: size + 1, signed: 2, epoch: 1 };
        assert_eq!(verified(&app, &world).await, Verification::Wrong(wrong));
        let begun = trail::begin_epoch(&app, &trail::restorer(&app), org).await.unwrap();
        assert_eq!(begun.value.epoch, 3);
        assert!(matches!(verified(&app, &world).await, Verification::Verified { epoch: 3, .. }));
    }

    async fn another_entry_at_a_position_that_was_signed_is_not_signed(world: World) {
        let (size, signed) = backup_restored(&world, &unprotected(&world).await).await;
        // A program that runs on under a restore has compared the trail before it.
        let (app, org) = (world.app(), world.org());
        let other = trail::export(app, &trail::operator(app), org).await.unwrap_err();
        let Error::Store(StoreError::SecondHistory(why)) = other else { panic!("{other:?}") };
        assert_eq!((why, signed), (SecondHistory::Another(signed), size + 1));
        let change = trail::export(app, &trail::operator(app), org).await;
        assert!(matches!(change, Err(Error::Store(StoreError::SecondHistory(_)))), "from then on nothing changes");
        assert_eq!(world.trail(org).await.len() as u64, signed);
        assert_eq!(verified(app, &world).await, Verification::Wrong(Finding::Root(signed)));
    }

    async fn nobody_but_the_operator_begins_an_epoch(world: World) {
        for caller in [world.owner().caller(), world.stranger().caller(), trail::operator(world.app())] {
            assert!(refused(&trail::begin_epoch(world.app(), &caller, world.org()).await), "{caller:?}");
        }
    }
}
