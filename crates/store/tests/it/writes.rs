//! What a permit may write beside its target.

use gatewarden_access::{KeyLimits, Permit, actions::CreateKey};
use gatewarden_control::{keys, members};
use gatewarden_store::{Giving, OrgTx, StoreError};
use gatewarden_testkit::World;
use gatewarden_types::{Key, KeyOwner, KeyState, ModelSet};

/// A change in which the owner may make a key.
async fn making(world: &World) -> (OrgTx, Permit<CreateKey>) {
    let tx = world.app().store.change(&world.owner().caller(), world.org()).await.unwrap();
    let limits = KeyLimits { levels: Key::all_levels(), models: ModelSet::All, expires: None };
    let giving = Giving::Key(KeyOwner::Organization, limits);
    let permit = tx.permit_giving(&giving).await.unwrap();
    (tx, permit)
}

gatewarden_testkit::on_both! {
    async fn whoever_may_make_a_key_overwrites_and_removes_none(world: World) {
        let other = world.key(Key::all_levels()).await;
        let key = keys::read(world.app(), &world.owner().caller(), world.org(), other.key).await.unwrap().0.key.record;
        let tables = world.tables(world.org()).await;
        let (mut tx, permit) = making(&world).await;
        let overwritten = tx.put(&permit, &Key { owner: KeyOwner::Organization, ..key }).await;
        assert!(matches!(overwritten, Err(StoreError::Database(_))), "{overwritten:?}");
        drop(tx);
        let (mut tx, permit) = making(&world).await;
        let removed = tx.remove::<_, Key>(&permit, other.key).await;
        assert!(matches!(removed, Err(StoreError::WrongPermit { .. })), "{removed:?}");
        drop(tx);
        assert_eq!(world.tables(world.org()).await, tables);
    }

    async fn removing_a_member_still_revokes_their_keys(world: World) {
        let theirs = world.key(Key::all_levels()).await;
        members::remove(world.app(), &world.owner().caller(), world.org(), world.member().id(), None).await.unwrap();
        let read = keys::read(world.app(), &world.owner().caller(), world.org(), theirs.key).await.unwrap();
        assert_eq!(read.0.key.record.state, KeyState::Revoked);
    }
}
