//! One program at a time holds the data.

use gatewarden_store::StoreError;

gatewarden_testkit::on_both! {
    async fn the_data_is_held_by_one_and_then_by_another(world: World) {
        let (one, other) = (world.app(), world.open_with(2).await.unwrap());
        let held = one.store.hold("the first").await.unwrap();
        let refused = other.store.hold("the second").await;
        assert!(matches!(&refused, Err(StoreError::Held { by }) if by.starts_with("the first")), "{refused:?}");
        drop(held);
        drop(other.store.hold("the second").await.unwrap());
    }

    async fn opening_leaves_alone_what_another_program_is_making(world: World) {
        let making = "INSERT INTO organizations (id, slug, state, created)
            SELECT subject, 'in-the-making', 'provisioning', 0 FROM directory LIMIT 1";
        let right = world.control_tables().await;
        world.beneath_control().await.run(making).await.unwrap();
        let before = world.control_tables().await;
        world.open_with(2).await.unwrap();
        assert_eq!(world.control_tables().await, before);
        world.open_again().await.unwrap();
        assert_eq!(world.control_tables().await, right, "a program that starts undoes it");
    }
}
