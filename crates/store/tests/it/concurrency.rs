//! One writer at a time, deciding on what it holds.

use futures::future::join_all;
use gatewarden_access::{Caller, actions};
use gatewarden_control::{Error, members, organizations};
use gatewarden_store::Giving;
use gatewarden_testkit::{House, World};
use gatewarden_types::{Builtin, Job, Key, KeyOwner, KeyState, MemberState, ModelSet};

const ROUNDS: usize = 25;
const WRITERS: usize = 16;

fn demote(house: &House, member: gatewarden_types::Id<gatewarden_types::Member>) -> members::ChangeMemberRole {
    members::ChangeMemberRole { member, role: house.role(Builtin::Viewer), seen: None }
}

async fn owners(world: &World) -> usize {
    let read = world.app().store.read(&world.house().master.caller(), world.org()).await.unwrap();
    let permit = read.permit::<actions::ListMembers>().unwrap();
    let members = read.list::<_, gatewarden_types::Member>(&permit).await.unwrap();
    let owner = |role| role == world.role(Builtin::Owner);
    members.iter().filter(|m| owner(m.record.role) && m.record.state == MemberState::Active).count()
}

gatewarden_testkit::on_both! {
    async fn the_last_owner_stays_when_two_demote_each_other(world: World) {
        let house = world.house();
        let one = world.owner().clone();
        let two = house.join("Second Owner", Builtin::Owner).await;
        for round in 0..ROUNDS {
            let (by_one, by_two) = (one.caller(), two.caller());
            let (first, second) = tokio::join!(
                members::change_role(world.app(), &by_one, house.id, demote(house, two.id())),
                members::change_role(world.app(), &by_two, house.id, demote(house, one.id())),
            );
            assert!(first.is_ok() != second.is_ok(), "round {round}: {first:?} {second:?}");
            assert_eq!(owners(&world).await, 1, "round {round}");
            let (left, gone) = if first.is_ok() { (&one, &two) } else { (&two, &one) };
            let again = members::ChangeMemberRole { role: house.role(Builtin::Owner), ..demote(house, gone.id()) };
            members::change_role(world.app(), &left.caller(), house.id, again).await.unwrap();
        }
    }

    async fn the_last_owner_neither_leaves_nor_is_suspended_in_a_race(world: World) {
        let two = world.house().join("Second Owner", Builtin::Owner).await;
        let (one, org) = (world.owner().id(), world.org());
        let (by_one, by_two) = (world.owner().caller(), two.caller());
        let (suspended, removed) = tokio::join!(
            members::suspend(world.app(), &by_one, org, two.id(), None),
            members::remove(world.app(), &by_two, org, one, None),
        );
        assert!(suspended.is_ok() != removed.is_ok(), "{suspended:?} {removed:?}");
        assert_eq!(owners(&world).await, 1);
    }

    async fn who_was_removed_mints_no_key_in_passing(world: World) {
        let (app, org) = (world.app(), world.org());
        for round in 0..ROUNDS {
            let leaver = world.house().join(&format!("Leaver {round}"), Builtin::Admin).await;
            let (leaving, minting) = (world.owner().caller(), leaver.caller());
            let mint = async {
                let key = Key {
                    id: app.id(),
                    name: "In passing".parse().unwrap(),
                    owner: KeyOwner::Member(leaver.id()),
                    levels: Key::usual_levels(),
                    models: ModelSet::All,
                    limits: gatewarden_types::Limits::default(),
                    expires: None,
                    verifier: gatewarden_types::Digest([7; 32]),
                    state: KeyState::Active,
                };
                let mut tx = app.store.change(&minting, org).await?;
                let permit = tx.permit_giving::<actions::CreateKey>(&Giving::of_key(&key)).await?;
                tx.put(&permit, &key).await?;
                tx.commit(permit).await.map_err(Error::from).map(|_| key.id)
            };
            let (removed, minted) = tokio::join!(members::remove(app, &leaving, org, leaver.id(), None), mint);
            removed.unwrap();
            let read = app.store.read(&world.owner().caller(), org).await.unwrap();
            let permit = read.permit::<actions::ListKeys>().unwrap();
            let keys = read.list::<_, Key>(&permit).await.unwrap();
            let alive = keys.iter().filter(|key| key.record.owner == KeyOwner::Member(leaver.id()));
            assert!(alive.clone().all(|key| key.record.state == KeyState::Revoked), "round {round}: {minted:?}");
            assert_eq!(alive.count(), usize::from(minted.is_ok()), "round {round}");
        }
    }

    async fn the_trail_is_dense_under_sixteen_writers(world: World) {
        let before = world.trail(world.org()).await.len();
        let write = async |writer: usize| {
            let mut acknowledged = Vec::new();
            for turn in 0..8 {
                let name = format!("Named by {writer} in turn {turn}").parse().unwrap();
                let command = organizations::UpdateOrganization { name: Some(name), ..Default::default() };
                let caller = world.owner().caller();
                let changed = organizations::update(world.app(), &caller, world.org(), command).await.unwrap();
                acknowledged.push(changed.version);
            }
            acknowledged
        };
        let mut acknowledged: Vec<_> = join_all((0..WRITERS).map(write)).await.concat();
        acknowledged.sort_unstable();
        let after = before + WRITERS * 8;
        let expected: Vec<u64> = (before + 1..=after).map(|seq| seq as u64).collect();
        assert_eq!(acknowledged, expected, "each change has a seq of its own");
        let trail = world.trail(world.org()).await;
        assert!(trail.iter().map(|stored| stored.seq).eq(1..=after as u64));
        let follower = Caller::system(Job::Follower, world.app().store.request_id());
        let read = world.app().store.read(&follower, world.org()).await.unwrap();
        let permit = read.permit::<actions::FollowTrail>().unwrap();
        assert_eq!(read.size(&permit).await.unwrap(), after as u64);
    }
}
