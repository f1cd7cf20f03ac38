use gatewarden_control::{
    organizations::{self, UpdateOrganization},
    usage::{self, Observed, Range, UsageRecord},
};
use gatewarden_testkit::{Someone, World};
use gatewarden_types::{Id, Model, Reach};
use tokio::sync::mpsc;

use crate::given::{model, outsiders, provider, refused};

/// A call by someone's key, now.
fn call(world: &World, by: &Someone, model: Option<Id<Model>>) -> Observed {
    let app = world.app();
    let record = UsageRecord {
        id: app.id(),
        at: world.time().now(),
        key: app.id(),
        member: Some(by.id()),
        model,
        provider: None,
        status: 200,
        refused: None,
        input_tokens: 10,
        output_tokens: 5,
        latency_micros: 1000,
        upstream_micros: 900,
        decided_under: 1,
    };
    Observed { organization: world.org(), record }
}

fn refusal(world: &World, by: &Someone, reason: &str) -> Observed {
    let mut call = call(world, by, None);
    call.record.refused = Some(reason.to_owned());
    call
}

gatewarden_testkit::on_both! {
    async fn everything_is_summed_for_those_who_see_everything(world: World) {
        let (app, org) = (world.app(), world.org());
        let fast = model(&world, "fast", provider(&world, "One").await.value.id).await.value.id;
        let calls = vec![
            call(&world, world.member(), Some(fast)),
            call(&world, world.member(), Some(fast)),
            call(&world, world.admin(), Some(fast)),
            refusal(&world, world.admin(), "key_model"),
        ];
        usage::ingest(app, calls.clone()).await.unwrap();
        usage::ingest(app, calls).await.unwrap();
        for range in [Range::Day, Range::Week, Range::Month] {
            let seen = usage::overview(app, &world.viewer().caller(), org, range).await.unwrap();
            assert_eq!((seen.total.calls, seen.total.refused, seen.total.input_tokens), (4, 1, 40), "sent twice, counted once");
            assert_eq!(seen.over_time.len(), usize::try_from(range.steps()).unwrap());
            assert_eq!(seen.over_time.last().unwrap().1.calls, 4);
            assert_eq!((seen.models[0].name.as_ref().unwrap().as_str(), seen.models[0].slice.calls), ("fast", 3));
            assert_eq!(seen.members.len(), 2);
            assert!(seen.members.iter().all(|member| member.person.is_some()));
            assert_eq!((seen.refusals[0].reason.as_str(), seen.refusals[0].calls), ("key_model", 1));
            assert_eq!((seen.p50_micros, seen.p99_micros, seen.before.calls), (Some(1000), Some(1000), 0));
        }
        world.time().pass(std::time::Duration::from_hours(24));
        let next_day = usage::overview(app, &world.viewer().caller(), org, Range::Day).await.unwrap();
        assert_eq!((next_day.total.calls, next_day.before.calls, next_day.p50_micros), (0, 4, None));
    }

    // proves RQ-004, RQ-039, PK-004
    async fn a_member_sees_their_own_until_the_organization_widens_it(world: World) {
        let (app, org, member) = (world.app(), world.org(), world.member().caller());
        let calls = vec![call(&world, world.member(), None), call(&world, world.admin(), None)];
        usage::ingest(app, calls).await.unwrap();
        let own = usage::overview(app, &member, org, Range::Day).await.unwrap();
        assert_eq!((own.whose, own.total.calls, own.members.len()), (Reach::Own, 1, 1));
        let widen = UpdateOrganization { usage: Some(Reach::All), ..UpdateOrganization::default() };
        organizations::update(app, &world.owner().caller(), org, widen).await.unwrap();
        let all = usage::overview(app, &member, org, Range::Day).await.unwrap();
        assert_eq!((all.whose, all.total.calls), (Reach::All, 2));
        let named: Vec<_> = all.members.iter().filter(|usage| usage.person.is_some()).map(|usage| usage.member).collect();
        assert_eq!(named, [Some(world.member().id())], "who the others are stays where members may be seen");
        for caller in outsiders(&world) {
            assert!(refused(&usage::overview(app, &caller, org, Range::Day).await));
        }
        let elsewhere = usage::overview(app, &world.stranger().caller(), world.other_org(), Range::Day).await.unwrap();
        assert_eq!(elsewhere.total.calls, 0);
    }

    async fn an_organization_whose_usage_cannot_be_kept_holds_up_nobody(world: World) {
        let (app, org, other) = (world.app(), world.org(), world.other_org());
        let beneath = world.beneath_observed(other).await;
        let (usage, hidden) = (beneath.name("usage"), beneath.name("hidden"));
        beneath.run(&format!("ALTER TABLE {usage} RENAME TO hidden")).await.unwrap();
        let (reports, batches) = mpsc::channel(1);
        let collecting = tokio::spawn(usage::collect(app.clone(), batches));
        let elsewhere = || Observed { organization: other, ..call(&world, world.stranger(), None) };
        // The channel holds one batch: that the last one goes in says that the first two were gone through.
        for _ in 0..4 {
            reports.send(vec![elsewhere(), call(&world, world.member(), None)]).await.unwrap();
        }
        let owner = world.owner().caller();
        assert!(usage::overview(app, &owner, org, Range::Day).await.unwrap().total.calls >= 2);
        beneath.run(&format!("ALTER TABLE {hidden} RENAME TO usage")).await.unwrap();
        drop(reports);
        collecting.await.unwrap();
        assert_eq!(usage::overview(app, &owner, org, Range::Day).await.unwrap().total.calls, 4);
        let stranger = world.stranger().caller();
        assert_eq!(usage::overview(app, &stranger, other, Range::Day).await.unwrap().total.calls, 4, "kept at last");
    }

    async fn usage_that_can_never_be_kept_does_not_hold_up_the_end(world: World) {
        let beneath = world.beneath_observed(world.org()).await;
        beneath.run(&format!("ALTER TABLE {} RENAME TO hidden", beneath.name("usage"))).await.unwrap();
        let (reports, batches) = mpsc::channel(1);
        reports.send(vec![call(&world, world.member(), None)]).await.unwrap();
        drop(reports);
        usage::collect(world.app().clone(), batches).await;
    }

    async fn counts_beyond_belief_leave_the_sums_readable(world: World) {
        let boasting = || {
            let mut call = call(&world, world.member(), None);
            (call.record.input_tokens, call.record.output_tokens) = (u64::MAX, u64::MAX);
            call
        };
        usage::ingest(world.app(), vec![boasting(), boasting()]).await.unwrap();
        let seen = usage::overview(world.app(), &world.owner().caller(), world.org(), Range::Day).await.unwrap();
        assert_eq!((seen.total.input_tokens, seen.total.output_tokens), (2_000_000_000, 2_000_000_000));
    }

    async fn a_report_larger_than_a_statement_is_taken_in_whole(world: World) {
        let calls: Vec<_> = (0..1201).map(|_| call(&world, world.member(), None)).collect();
        usage::ingest(world.app(), calls).await.unwrap();
        let seen = usage::overview(world.app(), &world.owner().caller(), world.org(), Range::Day).await.unwrap();
        assert_eq!(seen.total.calls, 1201);
    }
}
