//! The people of a test's world are what they are called.

use gatewarden_control::{Caller, Error, members, organizations};
use gatewarden_testkit::World;
use gatewarden_types::Key;

async fn may_read(world: &World, caller: Caller) -> bool {
    match organizations::read(world.app(), &caller, world.org()).await {
        Ok(_) => true,
        Err(Error::Refused(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

gatewarden_testkit::on_both! {
    async fn everybody_is_what_they_are_called(world: World) {
        let key = world.key(Key::all_levels()).await;
        for inside in [world.owner(), world.admin(), world.member(), world.viewer()] {
            assert!(may_read(&world, inside.caller()).await, "{}", inside.person.name);
        }
        assert!(may_read(&world, key.caller()).await);
        assert!(may_read(&world, world.house().master.caller()).await);
        for outside in [world.suspended().caller(), world.stranger().caller(), world.anonymous()] {
            assert!(!may_read(&world, outside.clone()).await, "{outside:?}");
        }
    }

    async fn a_refused_change_leaves_an_attempt_and_nothing_else(world: World) {
        let (tables, trail) = (world.tables(world.org()).await, world.trail_tables(world.org()).await);
        let (viewer, owner) = (world.viewer().caller(), world.owner().id());
        let refused = members::suspend(world.app(), &viewer, world.org(), owner, None).await;
        assert!(matches!(refused, Err(Error::Refused(_))));
        assert_eq!(world.attempts(world.org()).await, 1);
        assert_eq!(world.tables(world.org()).await, tables);
        assert_eq!(world.trail_tables(world.org()).await, trail);
        assert!(!trail["entries"].is_empty() && !tables["members"].is_empty());
        assert_eq!(world.trail(world.org()).await.len(), trail["entries"].len());
    }
}
