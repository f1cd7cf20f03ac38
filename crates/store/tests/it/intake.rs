//! What machines report may come late and twice.

use gatewarden_access::actions::ListMembers;

gatewarden_testkit::on_both! {
    async fn a_late_report_does_not_move_last_seen_backwards(world: World) {
        let (store, member) = (&world.app().store, world.member().id());
        let now = world.time().now();
        for at in [now, now.plus_seconds(-60), now.plus_seconds(60), now.plus_seconds(30)] {
            let intake = store.intake(world.org()).await.unwrap();
            intake.seen(&[(member.uuid(), at)]).await.unwrap();
            intake.commit().await.unwrap();
        }
        let read = store.read(&world.owner().caller(), world.org()).await.unwrap();
        let seen = read.last_seen(&read.permit::<ListMembers>().unwrap(), [member]).await.unwrap();
        assert_eq!(seen.get(&member), Some(&now.plus_seconds(60)));
    }
}
