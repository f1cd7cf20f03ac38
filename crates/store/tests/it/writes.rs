//! Where a permit is good, and what it may write beside its target.

use gatewarden_access::{
    KeyLimits, Permit,
    actions::{ApproveModel, CreateKey, ListMembers, UpdateOrganization},
};
use gatewarden_control::{keys, members};
use gatewarden_store::{Giving, OrgTx, StoreError};
use gatewarden_testkit::World;
use gatewarden_types::{Key, KeyOwner, KeyState, Member, Model, ModelSet, ModelState, Organization};

/// A change in which the owner may make a key.
async fn making(world: &World) -> (OrgTx, Permit<CreateKey>) {
    let tx = world.app().store.change(&world.owner().caller(), world.org()).await.unwrap();
    let limits = KeyLimits::new(&Key::all_levels(), &ModelSet::All, None);
    let giving = Giving::Key(KeyOwner::Organization, limits);
    let permit = tx.permit_giving(&giving).await.unwrap();
    (tx, permit)
}

fn wrong<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::WrongPermit { .. }))
}

/// The organization by another name.
async fn renamed(world: &World) -> Organization {
    let tables = world.app().store.read(&world.owner().caller(), world.org()).await.unwrap();
    let permit = tables.permit::<ListMembers>().unwrap();
    let row = tables.get::<_, Organization>(&permit, world.org()).await.unwrap().unwrap();
    Organization { name: "Renamed".parse().unwrap(), ..row.record }
}

gatewarden_testkit::on_both! {
    async fn a_permit_is_good_in_its_own_transaction_alone(world: World) {
        let (store, caller) = (&world.app().store, world.owner().caller());
        let here = store.read(&caller, world.org()).await.unwrap();
        let permit = here.permit::<ListMembers>().unwrap();
        assert!(!here.list::<_, Member>(&permit).await.unwrap().is_empty());
        let later = store.read(&caller, world.org()).await.unwrap();
        let elsewhere = store.read(&caller, world.other_org()).await.unwrap();
        for other in [later, elsewhere] {
            assert!(wrong(&other.list::<_, Member>(&permit).await));
            assert!(wrong(&other.people(&permit, [world.member().id()]).await));
            assert!(wrong(&other.keys_of(&permit, [world.member().id()]).await));
        }
        drop(here);
        let (tables, organization) = (world.tables(world.org()).await, renamed(&world).await);
        let before = store.change(&caller, world.org()).await.unwrap();
        let (kept, spent) = (before.permit::<UpdateOrganization>().unwrap(), before.permit::<UpdateOrganization>().unwrap());
        drop(before);
        let mut tx = store.change(&caller, world.org()).await.unwrap();
        assert!(wrong(&tx.put(&kept, &organization).await));
        assert!(wrong(&tx.commit(spent).await), "what was allowed once is asked for again");
        assert_eq!(world.tables(world.org()).await, tables);
    }

    async fn an_entry_says_the_act_by_which_all_of_it_was_written(world: World) {
        let (store, caller) = (&world.app().store, world.owner().caller());
        let (tables, organization) = (world.tables(world.org()).await, renamed(&world).await);
        let mut tx = store.change(&caller, world.org()).await.unwrap();
        let (update, approve) = (tx.permit::<UpdateOrganization>().unwrap(), tx.permit::<ApproveModel>().unwrap());
        tx.put(&update, &organization).await.unwrap();
        let name = || "small".parse().unwrap();
        let (id, provider) = (world.app().id(), world.app().id());
        let model = Model { id, name: name(), provider, upstream: name(), state: ModelState::Approved };
        assert!(wrong(&tx.put(&approve, &model).await), "two acts are two entries");
        assert!(wrong(&tx.commit(approve).await), "another act's name would stand in the trail");
        assert_eq!(world.tables(world.org()).await, tables);
    }

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
