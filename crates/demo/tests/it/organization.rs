use gatewarden_control::trail::{Verification, verify};
use gatewarden_credentials::Secret;
use gatewarden_demo::organization::{Models, SLUG, prepare};
use gatewarden_testkit::Empty;
use gatewarden_types::{Id, Organization};

/// Where nobody answers: the example is made without a call.
fn models() -> Models {
    let base_url = "http://127.0.0.1:9/v1".parse().expect("an address");
    Models { base_url, secret: Secret::new("sk-demo".to_owned()) }
}

async fn example(world: &Empty) -> Id<Organization> {
    let mut places = world.app().store.places().await.expect("answers");
    let place = places.pop().expect("an organization");
    assert!(places.is_empty() && place.slug.as_str() == SLUG);
    place.id
}

/// How many calls were reported.
async fn calls(world: &Empty, example: Id<Organization>) -> usize {
    world.beneath_observed(example).await.rows("usage").await.len()
}

/// How many entries a trail has that nothing is wrong with.
async fn entries(world: &Empty, example: Id<Organization>) -> u64 {
    match verify(world.app(), example, |_, _| {}).await.expect("answers") {
        Verification::Verified { size, .. } => size,
        wrong => panic!("{wrong}"),
    }
}

async fn is_whole_and_grows_by_a_key_alone(world: Empty) {
    let first = prepare(world.app(), &models()).await.expect("is made");
    let id = example(&world).await;
    let held = "SELECT DISTINCT r.builtin FROM members m JOIN roles r ON r.id = m.role ORDER BY 1";
    let held = world.beneath(id).await.texts(held).await;
    assert_eq!(held, ["admin", "member", "owner", "viewer"]);
    let before = world.tables(id).await;
    for table in ["providers", "credentials", "models", "keys", "invites"] {
        assert!(!before[table].is_empty(), "{table}");
    }
    let (reported, size) = (calls(&world, id).await, entries(&world, id).await);
    assert!(reported > 0);

    let second = prepare(world.app(), &models()).await.expect("is there");
    assert_ne!(first.key, second.key);
    assert_eq!(example(&world).await, id);
    let mut after = world.tables(id).await;
    assert_eq!(after["keys"].len(), before["keys"].len() + 1);
    after.insert("keys", before["keys"].clone());
    assert_eq!(after, before, "nothing but a key is new");
    assert_eq!(calls(&world, id).await, reported);
    assert_eq!(entries(&world, id).await, size + 2, "the key, and the revocation of the one before");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_whole_and_a_second_start_adds_a_key_on_sqlite() {
    is_whole_and_grows_by_a_key_alone(Empty::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_whole_and_a_second_start_adds_a_key_on_postgres() {
    if let Some(world) = Empty::postgres().await {
        is_whole_and_grows_by_a_key_alone(world).await;
    }
}
