use gatewarden_control::{
    checkpointer,
    members::{self, ChangeMemberRole},
    trail::{self, EntryFilter, Verification},
};
use gatewarden_testkit::World;
use gatewarden_trail::Finding;
use gatewarden_types::{Builtin, Id, RecordKind};

use crate::given::{model, outsiders, provider, refused};

async fn verified(world: &World) -> Verification {
    trail::verify(world.app(), world.org(), |_, _| ()).await.unwrap()
}

gatewarden_testkit::on_both! {
    async fn an_entry_shows_what_it_was_before_and_who_did_it(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let command = ChangeMemberRole { member: world.member().id(), role: world.role(Builtin::Viewer), seen: None };
        let changed = members::change_role(app, &owner, org, command).await.unwrap();
        let viewer = world.viewer().caller();
        let read = trail::read(app, &viewer, org, changed.version).await.unwrap().unwrap();
        assert_eq!(read.names.actor(read.entry.actor), "Olive Owner");
        assert_eq!(read.names.target(&read.entry), "Max Member");
        let change = &read.changes[0];
        assert!(change.kind == RecordKind::Member && change.previous < Some(changed.version));
        assert_eq!(change.fields.len(), 1);
        let role = |value: &Option<serde_json::Value>| {
            let id: Id<gatewarden_types::Role> = value.as_ref().unwrap().as_str().unwrap().parse().unwrap();
            read.names.record(id.uuid()).unwrap().to_owned()
        };
        assert_eq!((role(&change.fields[0].was), role(&change.fields[0].is)), ("Member".to_owned(), "Viewer".to_owned()));
        assert!(read.leaf.is_some() && read.covered_by.is_none());
        app.store.checkpoint(org).await.unwrap();
        let covered = trail::read(app, &viewer, org, changed.version).await.unwrap().unwrap();
        assert_eq!(covered.covered_by, Some(changed.version));
        assert!(trail::read(app, &viewer, org, 10_000).await.unwrap().is_none());
    }

    async fn the_trail_is_paged_and_filtered_for_those_who_may_read_it(world: World) {
        let (app, org, viewer) = (world.app(), world.org(), world.viewer().caller());
        let one = provider(&world, "One").await.value.id;
        model(&world, "fast", one).await;
        let all = trail::list(app, &viewer, org, &EntryFilter::default(), 1000).await.unwrap();
        assert_eq!((all.entries.len() as u64, all.older), (all.size, None));
        let first = trail::list(app, &viewer, org, &EntryFilter::default(), 2).await.unwrap();
        let next = EntryFilter { before: first.older, ..EntryFilter::default() };
        let second = trail::list(app, &viewer, org, &next, 2).await.unwrap();
        let seqs: Vec<_> = first.entries.iter().chain(&second.entries).map(|entry| entry.seq).collect();
        assert_eq!(seqs, [all.size, all.size - 1, all.size - 2, all.size - 3]);
        let added = EntryFilter { action: Some("provider.add".to_owned()), ..EntryFilter::default() };
        assert_eq!(trail::list(app, &viewer, org, &added, 10).await.unwrap().entries.len(), 1);
        let of_one = EntryFilter { record: Some(one.uuid()), ..EntryFilter::default() };
        assert_eq!(trail::list(app, &viewer, org, &of_one, 10).await.unwrap().entries.len(), 1);
        let mut callers = outsiders(&world).to_vec();
        callers.push(world.member().caller());
        for caller in callers {
            assert!(refused(&trail::list(app, &caller, org, &EntryFilter::default(), 1).await), "{caller:?}");
            assert!(refused(&trail::read(app, &caller, org, 1).await), "{caller:?}");
        }
    }

    async fn a_record_with_many_changes_is_paged_to_its_first(world: World) {
        let (app, org, viewer) = (world.app(), world.org(), world.viewer().caller());
        let added = provider(&world, "One").await;
        let later = "INSERT INTO changes (record, seq)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
            SELECT id, 1000000 + i FROM n, providers";
        world.beneath(org).await.run(later).await.unwrap();
        let record = Some(added.value.id.uuid());
        let filter = EntryFilter { record, before: Some(1_000_000), ..EntryFilter::default() };
        let found = trail::list(app, &viewer, org, &filter, 10).await.unwrap();
        assert_eq!(found.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [added.version]);
    }

    async fn a_text_that_fits_thousands_of_names_is_answered(world: World) {
        let (app, org, viewer) = (world.app(), world.org(), world.viewer().caller());
        let kept = provider(&world, "Bulk Keeper").await;
        let beneath = world.beneath(org).await;
        let id = if beneath.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        let many = format!(
            "INSERT INTO providers (id, version, name, dialect, base_url)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 22000)
            SELECT {id}, version, 'Bulk ' || i, dialect, base_url FROM n, providers"
        );
        beneath.run(&many).await.unwrap();
        let all = EntryFilter::default();
        trail::search(app, &viewer, org, Some("bulk"), &all, 10).await.unwrap();
        let found = trail::search(app, &viewer, org, Some("keeper"), &all, 10).await.unwrap();
        assert_eq!(found.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [kept.version]);
    }

    async fn an_untouched_trail_verifies_and_folds_to_the_tables(world: World) {
        let one = provider(&world, "One").await.value.id;
        model(&world, "fast", one).await;
        world.app().store.checkpoint(world.org()).await.unwrap();
        let mut heard = Vec::new();
        let found = trail::verify(world.app(), world.org(), |done, size| heard.push((done, size))).await.unwrap();
        let size = world.trail(world.org()).await.len() as u64;
        assert!(matches!(found, Verification::Verified { size: checked, .. } if checked == size), "{found:?}");
        assert_eq!(heard.last(), Some(&(size, size)));
    }

    async fn a_row_that_was_changed_underneath_is_found(world: World) {
        let beneath = world.beneath(world.org()).await;
        beneath.run("UPDATE members SET state = 'active' WHERE state = 'suspended'").await.unwrap();
        let found = verified(&world).await;
        let Verification::Differs { kind, record, by_entries, by_row } = found else { panic!("{found:?}") };
        assert_eq!((kind, record, by_entries), (RecordKind::Member, world.suspended().id().uuid(), by_row));
        beneath.run("DELETE FROM members WHERE state = 'active'").await.unwrap();
        assert!(matches!(verified(&world).await, Verification::Differs { by_row: None, .. }));
    }

    async fn checkpoints_are_signed_for_what_has_grown_until_the_end(world: World) {
        let (app, org) = (world.app(), world.org());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(checkpointer::run(app.clone(), async move { drop(stopped.await) }));
        let last = provider(&world, "One").await.version;
        stop.send(()).unwrap();
        task.await.unwrap();
        let read = trail::read(app, &world.owner().caller(), org, last).await.unwrap().unwrap();
        assert_eq!(read.covered_by, Some(last));
        assert!(matches!(verified(&world).await, Verification::Verified { .. }));
    }
}

/// What a finding says is for people.
#[test]
fn findings_are_sentences() {
    let cut = Verification::Wrong(Finding::Cut { size: 1, kept: 2 });
    let missing =
        Verification::Differs { kind: RecordKind::Key, record: uuid::Uuid::nil(), by_entries: Some(3), by_row: None };
    assert!(cut.to_string().contains("cut off"));
    assert_eq!(missing.to_string(), "the key key_00000000000000000000000000 is missing: entry 3 made it");
}
