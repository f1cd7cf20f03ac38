//! Usage as a page and as JSON.

use gatewarden_control::usage::{Observed, UsageRecord, ingest};
use gatewarden_testkit::{Someone, World, on_both};
use gatewarden_types::Key;

use crate::{
    harness::{Asker, door, site},
    records_browser::Tab,
};

/// Reports so many calls of someone's, the first of them refused.
async fn calls(world: &World, who: &Someone, many: u64) {
    let key = world.key_of(who, Key::usual_levels()).await.key;
    let record = |n: u64| UsageRecord {
        id: world.app().id(),
        at: world.app().clock.now(),
        key,
        member: who.member,
        model: None,
        provider: None,
        status: if n == 0 { 403 } else { 200 },
        refused: (n == 0).then(|| "key_model".to_owned()),
        input_tokens: 10,
        output_tokens: 5,
        latency_micros: 400_000,
        upstream_micros: 390_000,
        decided_under: 1,
    };
    let records = (0..many).map(record).map(|record| Observed { organization: world.org(), record });
    ingest(world.app(), records.collect()).await.expect("calls are taken in");
}

on_both! {
    // proves RQ-004, RQ-014, RQ-025, RQ-033
    async fn figures_cover_what_their_reader_may_see(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let first = owner.get("/o/here").await;
        assert!(first.says("Make your first call") && first.says("Add a provider"), "{}", first.body);
        calls(&world, world.member(), 3).await;
        calls(&world, world.owner(), 1).await;
        for range in ["", "?range=24h", "?range=7d", "?range=30d", "?range=odd"] {
            let page = owner.get(&format!("/o/here{range}")).await;
            assert!(page.code() == 200 && page.says("Everyone&#39;s calls") && page.says("Max Member"), "{range}");
            assert!(page.says("Model not in the key&#39;s list") && page.says("Create a key that may call the model."), "{range}");
        }
        let mut member = Tab::signed_in(&door, world.member()).await;
        let own = member.get("/o/here?range=24h").await;
        assert!(own.says("Your own calls") && !own.says("Olive Owner") && own.says("400 ms"), "{}", own.body);

        for (who, whose, all) in [(world.owner(), "all", 4), (world.member(), "own", 3)] {
            let key = Asker::Key(world.key_of(who, Key::all_levels()).await.text);
            let usage = door.get(&key, "/api/v1/usage?range=24h").await.json();
            assert_eq!((&usage["whose"], &usage["total"]["calls"]), (&whose.into(), &all.into()));
            assert_eq!(usage["over_time"].as_array().map(Vec::len), Some(24));
            assert_eq!(door.get(&key, "/api/v1/usage?range=1y").await.code(), 422);
        }
        let mut stranger = Tab::signed_in(&door, world.stranger()).await;
        assert_eq!(stranger.get("/o/here").await.code(), 404);
    }
}
