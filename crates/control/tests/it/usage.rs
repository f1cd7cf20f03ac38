use gatewarden_control::{
    organizations::{self, UpdateOrganization},
    usage::{self, Observed, Range, UsageRecord},
};
use gatewarden_testkit::{Someone, World};
use gatewarden_types::{Id, Model, Reach};

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

    async fn an_organization_whose_usage_cannot_be_kept_is_named_and_the_others_are_kept(world: World) {
        let (app, org, other) = (world.app(), world.org(), world.other_org());
        let beneath = world.beneath_observed(other).await;
        let (usage, hidden) = (beneath.name("usage"), beneath.name("hidden"));
        beneath.run(&format!("ALTER TABLE {usage} RENAME TO hidden")).await.unwrap();
        let elsewhere = Observed { organization: other, ..call(&world, world.stranger(), None) };
        let calls = vec![elsewhere, call(&world, world.member(), None)];
        let refused = usage::ingest(app, calls.clone()).await.unwrap_err();
        assert_eq!(refused.0.into_keys().collect::<Vec<_>>(), [other]);
        let (owner, stranger) = (world.owner().caller(), world.stranger().caller());
        assert_eq!(usage::overview(app, &owner, org, Range::Day).await.unwrap().total.calls, 1);
        beneath.run(&format!("ALTER TABLE {hidden} RENAME TO usage")).await.unwrap();
        usage::ingest(app, calls).await.unwrap();
        assert_eq!(usage::overview(app, &owner, org, Range::Day).await.unwrap().total.calls, 1, "and not twice");
        assert_eq!(usage::overview(app, &stranger, other, Range::Day).await.unwrap().total.calls, 1);
    }

    async fn what_comes_again_changes_nothing(world: World) {
        let (app, now) = (world.app(), world.time().now());
        let first: Vec<_> = (0..3).map(|_| call(&world, world.member(), None)).collect();
        usage::ingest(app, first.clone()).await.unwrap();
        world.time().pass(std::time::Duration::from_mins(1));
        let later = Observed { record: UsageRecord { at: world.time().now(), ..first[0].record.clone() }, ..first[0].clone() };
        let later = Observed { record: UsageRecord { id: app.id(), ..later.record }, ..later };
        usage::ingest(app, vec![later]).await.unwrap();
        let beneath = world.beneath_observed(world.org()).await;
        let kept = async || (beneath.rows("usage").await, beneath.rows("presence").await);
        let before = kept().await;
        assert_eq!(before.0.len(), 4);
        // Within one report and in another, whole and in part, and with other words under the same id.
        let mut again = [first.clone(), first.clone()].concat();
        again[1].record.status = 500;
        again[2].record.input_tokens = 1;
        for report in [again, first[1..].to_vec()] {
            usage::ingest(app, report).await.unwrap();
            assert_eq!(kept().await, before, "each row, and when key and member were last seen (not {now:?})");
        }
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
