//! The directory follows what is committed, late if it has to be, and fails nobody.

use gatewarden_control::organizations;
use gatewarden_types::Key;

gatewarden_testkit::on_both! {
    async fn a_key_is_shown_though_the_directory_could_not_follow(world: World) {
        let store = &world.app().store;
        let control = world.beneath_control().await;
        control.run("ALTER TABLE directory RENAME TO elsewhere").await.unwrap();
        let key = world.key(Key::all_levels()).await;
        control.run("ALTER TABLE elsewhere RENAME TO directory").await.unwrap();
        assert_eq!(store.place_of(key.key).await.unwrap(), None);
        store.catch_up().await.unwrap();
        assert_eq!(store.place_of(key.key).await.unwrap(), Some(world.org()));
    }

    async fn what_strays_in_the_directory_is_taken_out(world: World) {
        let store = &world.app().store;
        store.catch_up().await.unwrap();
        let right = world.control_tables().await;
        store.enter(world.stranger().account, world.org()).await;
        assert_ne!(world.control_tables().await, right);
        store.catch_up().await.unwrap();
        assert_eq!(world.control_tables().await, right);
    }

    async fn whoever_joined_again_is_not_taken_out(world: World) {
        let member = world.member();
        world.app().store.leave(member.account, world.org()).await;
        let own = organizations::list_own(world.app(), &member.caller()).await.unwrap();
        assert_eq!(own.len(), 1, "they are a member, whatever was removed before");
    }
}
