//! Nobody who reads holds one connection and waits for another: however few there are, everyone's turn comes.

use futures::future::join_all;
use gatewarden_control::{
    organizations, trail,
    usage::{self, Range},
};

const READERS: usize = 24;

gatewarden_testkit::on_both! {
    async fn many_readers_over_few_connections_are_all_answered(world: World) {
        world.app().store.checkpoint(world.org()).await.unwrap();
        let app = world.open_with(2).await.unwrap();
        let readers = (0..READERS).map(|_| async {
            let caller = world.owner().caller();
            let (overview, entry, own) = tokio::join!(
                usage::overview(&app, &caller, world.org(), Range::Day),
                trail::read(&app, &caller, world.org(), 1),
                organizations::list_own(&app, &caller),
            );
            overview.unwrap();
            assert!(entry.unwrap().unwrap().covered_by.is_some());
            assert_eq!(own.unwrap().len(), 1);
        });
        join_all(readers).await;
    }
}
