use gatewarden_control::{
    Caller, Error, Once,
    providers::{self, SecretChange, Tested, UpdateProvider},
};
use gatewarden_credentials::Secret;
use gatewarden_testkit::World;
use gatewarden_types::{Feature, Id, Level, Provider};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::given::{adding, field, model, outsiders, provider, refused};

fn changing(provider: Id<Provider>) -> UpdateProvider {
    UpdateProvider { provider, name: None, base_url: None, secret: SecretChange::Keep, seen: None }
}

fn replacing(secret: &str) -> SecretChange {
    SecretChange::Replace(Secret::new(secret.to_owned()))
}

async fn secrets(world: &World) -> usize {
    world.tables(world.org()).await["credentials"].len()
}

/// A server that answers every request with these bytes.
async fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok() && stream.write_all(answer.as_bytes()).await.is_ok() {
                drop(stream.shutdown().await);
            }
        }
    });
    base
}

async fn tested(world: &World, base_url: &str, secret: Option<&str>) -> Tested {
    let owner = world.owner().caller();
    let name = format!("Tested {}", world.trail(world.org()).await.len());
    let added = providers::add(world.app(), &owner, world.org(), adding(&name, base_url, secret)).await.unwrap();
    providers::test(world.app(), &owner, world.org(), added.value.id).await.unwrap()
}

gatewarden_testkit::on_both! {
    async fn owners_and_admins_manage_providers_and_nobody_else(world: World) {
        let (app, org) = (world.app(), world.org());
        let one = provider(&world, "One").await.value.id;
        let low = world.key_of(world.admin(), [(Feature::Providers, Level::Read)].into()).await;
        let mut callers = outsiders(&world).to_vec();
        callers.extend([world.member().caller(), world.viewer().caller(), low.caller()]);
        let before = world.tables(org).await;
        for caller in callers {
            let caller: Caller = caller;
            let added = providers::add(app, &caller, org, adding("Two", "http://127.0.0.1:9", None)).await;
            assert!(refused(&added), "{caller:?}");
            let renamed = UpdateProvider { name: Some("X".parse().unwrap()), ..changing(one) };
            assert!(refused(&providers::update(app, &caller, org, renamed).await), "{caller:?}");
            assert!(refused(&providers::test(app, &caller, org, one).await), "{caller:?}");
            assert!(refused(&providers::removal_effect(app, &caller, org, one).await), "{caller:?}");
            assert!(refused(&providers::remove(app, &caller, org, one, None).await), "{caller:?}");
        }
        assert_eq!(world.tables(org).await, before);
        let high = world.key_of(world.admin(), [(Feature::Providers, Level::Write)].into()).await;
        for (caller, name) in [(world.admin().caller(), "Two"), (high.caller(), "Three")] {
            providers::add(app, &caller, org, adding(name, "http://127.0.0.1:9", None)).await.unwrap();
        }
        assert_eq!(providers::list(app, &world.viewer().caller(), org).await.unwrap().0.len(), 3);
        assert!(refused(&providers::list(app, &world.member().caller(), org).await));
        assert!(refused(&providers::read(app, &world.stranger().caller(), org, one).await));
    }

    async fn a_secret_goes_in_sealed_and_is_erased_when_replaced(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let one = provider(&world, "One").await;
        let first = one.value.credential.unwrap();
        assert_eq!(secrets(&world).await, 1);
        let second = UpdateProvider { secret: replacing("sk-second"), ..changing(one.value.id) };
        let second = providers::update(app, &owner, org, second).await.unwrap().value.credential.unwrap();
        assert_ne!(first, second);
        assert_eq!(secrets(&world).await, 1);
        for table in [world.tables(org).await, world.trail_tables(org).await] {
            assert!(!format!("{table:?}").contains("sk-second"));
        }
        let erased = UpdateProvider { secret: SecretChange::Erase, ..changing(one.value.id) };
        assert_eq!(providers::update(app, &owner, org, erased).await.unwrap().value.credential, None);
        assert_eq!(secrets(&world).await, 0);
        let bad = UpdateProvider { secret: replacing("two\nlines"), ..changing(one.value.id) };
        assert_eq!(field(providers::update(app, &owner, org, bad).await), "secret");
    }

    async fn another_server_takes_the_secret_again(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let one = provider(&world, "One").await.value;
        for elsewhere in ["http://127.0.0.1:10/v1", "http://127.0.0.2:9/v1", "https://127.0.0.1:9/v1"] {
            let moved = UpdateProvider { base_url: Some(elsewhere.parse().unwrap()), ..changing(one.id) };
            assert_eq!(field(providers::update(app, &owner, org, moved.clone()).await), "secret");
            let given = UpdateProvider { secret: replacing("sk-again"), ..moved };
            providers::update(app, &owner, org, given).await.unwrap();
            let back = UpdateProvider { base_url: Some(one.base_url.clone()), secret: replacing("x"), ..changing(one.id) };
            providers::update(app, &owner, org, back).await.unwrap();
        }
        let path = UpdateProvider { base_url: Some("http://127.0.0.1:9/v2".parse().unwrap()), ..changing(one.id) };
        let moved = providers::update(app, &owner, org, path).await.unwrap();
        assert!(moved.value.credential.is_some(), "the same server keeps it");
    }

    async fn names_are_unique_and_stale_editors_are_told(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let one = provider(&world, "One").await;
        let two = provider(&world, "Two").await;
        assert_eq!(field(providers::add(app, &owner, org, adding(" one ", "http://127.0.0.1:9", None)).await), "name");
        let clash = UpdateProvider { name: Some("ONE".parse().unwrap()), ..changing(two.value.id) };
        assert_eq!(field(providers::update(app, &owner, org, clash).await), "name");
        let rename = UpdateProvider {
            name: Some("Uno".parse().unwrap()), seen: Some(one.version), ..changing(one.value.id)
        };
        let renamed = providers::update(app, &owner, org, rename.clone()).await.unwrap();
        let stale = UpdateProvider { name: Some("Un".parse().unwrap()), ..rename };
        let stale = providers::update(app, &owner, org, stale).await;
        assert!(matches!(stale, Err(Error::Conflict { version }) if version == renamed.version));
        let size = world.trail(org).await.len();
        let same = providers::update(app, &owner, org, changing(one.value.id)).await.unwrap();
        assert_eq!((same.version, world.trail(org).await.len()), (renamed.version, size), "no change, no entry");
    }

    async fn an_address_that_may_not_be_called_is_refused(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let one = provider(&world, "One").await.value.id;
        for private in ["http://10.0.0.1/v1", "http://169.254.169.254/latest", "http://[fd00::1]/", "http://[::ffff:10.0.0.1]/", "http://1.1.1.1/v1"] {
            assert_eq!(field(providers::add(app, &owner, org, adding("X", private, None)).await), "base_url", "{private}");
            let moved = UpdateProvider {
                base_url: Some(private.parse().unwrap()), secret: replacing("x"), ..changing(one)
            };
            assert_eq!(field(providers::update(app, &owner, org, moved).await), "base_url", "{private}");
        }
    }

    async fn a_repeated_request_adds_one_provider(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let once = |request| Some(Once { word: "w".to_owned(), request: [request; 32] });
        let command = |request| providers::AddProvider { once: once(request), ..adding("One", "http://127.0.0.1:9", None) };
        let first = providers::add(app, &owner, org, command(1)).await.unwrap();
        let again = providers::add(app, &owner, org, command(1)).await.unwrap();
        assert_eq!((first.value.id, first.version), (again.value.id, again.version));
        assert!(matches!(providers::add(app, &owner, org, command(2)).await, Err(Error::Reused)));
    }

    async fn removing_says_what_goes_and_takes_it_in_one_entry(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let (one, two) = (provider(&world, "One").await.value.id, provider(&world, "Two").await.value.id);
        let fast = model(&world, "fast", one).await.value;
        model(&world, "other", two).await;
        let effect = providers::removal_effect(app, &owner, org, one).await.unwrap();
        assert_eq!((effect.models, effect.keys), (vec![fast], 0));
        let size = world.trail(org).await.len();
        providers::remove(app, &owner, org, one, None).await.unwrap();
        let tables = world.tables(org).await;
        assert_eq!((tables["providers"].len(), tables["models"].len(), secrets(&world).await), (1, 1, 1));
        assert_eq!(world.trail(org).await.len(), size + 1);
        assert!(refused(&providers::remove(app, &owner, org, one, None).await), "it is not found any more");
    }

    async fn a_test_lists_models_and_says_what_is_wrong(world: World) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = gatewarden_demo::upstream::Settings { secret: "sk-right".to_owned(), pace: std::time::Duration::ZERO };
        let upstream = gatewarden_demo::upstream::spawn(listener, settings).unwrap();
        let works = tested(&world, &upstream.base_url(), Some("sk-right")).await;
        assert!(matches!(&works, Tested::Works { models, .. } if models.contains(&"demo-small".to_owned())), "{works:?}");
        assert_eq!(tested(&world, &upstream.base_url(), Some("sk-wrong")).await, Tested::Refused { status: 401 });
        let unreachable = tested(&world, "http://127.0.0.1:9/v1", None).await;
        assert!(matches!(unreachable, Tested::Unreachable { .. }), "{unreachable:?}");
        let html = answering("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>").await;
        assert!(matches!(tested(&world, &html, None).await, Tested::Unexpected { .. }));
        let elsewhere = answering("HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(tested(&world, &elsewhere, None).await, Tested::Refused { status: 302 }, "it is not followed");
    }

    async fn a_test_is_in_the_trail_before_it_is_made(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let one = provider(&world, "One").await.value.id;
        providers::test(app, &owner, org, one).await.unwrap();
        let last = world.trail(org).await.pop().unwrap();
        assert!(String::from_utf8(last.bytes).unwrap().contains("\"provider.test\""));
    }
}
