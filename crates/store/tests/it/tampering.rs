//! What is done underneath the program is found, and the first bad entry is named.

use gatewarden_access::{Caller, actions};
use gatewarden_store::Store;
use gatewarden_testkit::{Beneath, House, World};
use gatewarden_trail::{Finding, Verified, Verifier};
use gatewarden_types::{Builtin, Id, Job, Organization};

/// Checks a trail as `trail verify` does: what the store reads, against every kept checkpoint.
async fn verify(store: &Store, organization: Id<Organization>) -> Result<Verified, Finding> {
    let begin = async || {
        let read = store.read(&Caller::system(Job::Follower, store.request_id()), organization).await.unwrap();
        let permit = read.permit::<actions::FollowTrail>().unwrap();
        (read, permit)
    };
    let (read, permit) = begin().await;
    let kept = read.kept_checkpoints(&permit).await.unwrap();
    let (read, permit) = begin().await;
    let mut verifier = Verifier::new(Some(organization), &kept.notes, &store.log(organization).unwrap())?;
    for stored in read.stored(&permit, 0, u64::from(u32::MAX)).await.unwrap() {
        verifier.push(&stored)?;
    }
    verifier.finish()
}

/// An organization with seven entries, the first five of them under a checkpoint.
async fn house(world: &World, slug: &str) -> House {
    let house = world.found(slug).await;
    house.join(&format!("First {slug}"), Builtin::Member).await;
    house.join(&format!("Second {slug}"), Builtin::Viewer).await;
    world.app().store.checkpoint(house.id).await.unwrap();
    house.join(&format!("Third {slug}"), Builtin::Admin).await;
    assert_eq!(verify(&world.app().store, house.id).await.map(|found| found.size), Ok(7));
    house
}

/// What is found in a new organization after `meddle`.
async fn finds<F: AsyncFn(&Beneath)>(world: &World, slug: &str, meddle: F) -> Finding {
    let house = house(world, slug).await;
    let beneath = world.beneath(house.id).await;
    for table in ["entries", "leaves", "changes", "checkpoints"] {
        beneath.unprotect(table).await;
    }
    meddle(&beneath).await;
    verify(&world.app().store, house.id).await.expect_err(slug)
}

async fn run(beneath: &Beneath, sql: &str) {
    assert!(beneath.run(sql).await.expect(sql) > 0, "{sql} meddles with something");
}

/// An expression for the bytes of an entry with another action of the same length.
fn forged(beneath: &Beneath) -> &'static str {
    if beneath.is_postgres() {
        "convert_to(replace(convert_from(bytes, 'UTF8'), 'invite.accept', 'invite.revoke'), 'UTF8')"
    } else {
        "CAST(replace(CAST(bytes AS TEXT), 'invite.accept', 'invite.revoke') AS BLOB)"
    }
}

gatewarden_testkit::on_both! {
    async fn an_edit_is_found(world: World) {
        let edit = async |beneath: &Beneath| {
            run(beneath, &format!("UPDATE entries SET bytes = {} WHERE seq = 3", forged(beneath))).await;
        };
        assert_eq!(finds(&world, "edited", edit).await, Finding::Changed(3));
    }

    async fn an_edit_with_its_hash_rewritten_is_found_by_the_checkpoint(world: World) {
        let edit = async |beneath: &Beneath| {
            run(beneath, &format!("UPDATE entries SET bytes = {} WHERE seq = 3", forged(beneath))).await;
            let bytes = beneath.query("SELECT bytes FROM entries WHERE seq = 3").await;
            let bytes: Vec<u8> = bytes[0].try_get_by_index(0).unwrap();
            let hash = gatewarden_types::Digest(gatewarden_trail::leaf_hash(&bytes)).to_string();
            let literal = if beneath.is_postgres() { format!("'\\x{hash}'::bytea") } else { format!("x'{hash}'") };
            run(beneath, &format!("UPDATE leaves SET hash = {literal} WHERE seq = 3")).await;
        };
        assert_eq!(finds(&world, "rehashed", edit).await, Finding::Root(5));
    }

    async fn a_swap_is_found(world: World) {
        let swap = async |beneath: &Beneath| {
            for table in ["entries", "leaves"] {
                run(beneath, &format!("UPDATE {table} SET seq = -4 WHERE seq = 4")).await;
                run(beneath, &format!("UPDATE {table} SET seq = 4 WHERE seq = 2")).await;
                run(beneath, &format!("UPDATE {table} SET seq = 2 WHERE seq = -4")).await;
            }
        };
        let found = finds(&world, "swapped", swap).await;
        assert!(matches!(found, Finding::Unreadable { seq: 2, .. }), "{found:?}");
    }

    async fn a_deletion_is_found(world: World) {
        let delete = async |beneath: &Beneath| {
            run(beneath, "DELETE FROM entries WHERE seq = 4").await;
            run(beneath, "DELETE FROM leaves WHERE seq = 4").await;
        };
        assert_eq!(finds(&world, "deleted", delete).await, Finding::Gap { expected: 4, found: 5 });
        let only_the_hash = async |beneath: &Beneath| run(beneath, "DELETE FROM leaves WHERE seq = 6").await;
        assert_eq!(finds(&world, "unhashed", only_the_hash).await, Finding::NoHash(6));
    }

    async fn a_tail_cut_back_behind_a_checkpoint_is_found(world: World) {
        let cut = async |beneath: &Beneath| {
            for table in ["entries", "leaves", "changes"] {
                run(beneath, &format!("DELETE FROM {table} WHERE seq > 3")).await;
            }
            // The organization's own copy goes too; the control schema's stays.
            run(beneath, "DELETE FROM checkpoints").await;
        };
        assert_eq!(finds(&world, "cut", cut).await, Finding::Cut { size: 3, kept: 5 });
    }

    async fn a_checkpoint_of_another_key_is_found(world: World) {
        let forge = async |beneath: &Beneath| {
            run(beneath, "UPDATE checkpoints SET note = replace(note, 'gatewarden.test', 'gatewarden.tent')").await;
        };
        assert!(matches!(finds(&world, "forged", forge).await, Finding::Checkpoint(_)));
    }
}
