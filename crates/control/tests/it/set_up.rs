//! The first start.

use std::sync::Arc;

use gatewarden_control::{
    App, AppParts, Error,
    providers::Upstreams,
    sessions,
    set_up::{self, Init, SetUp},
};
use gatewarden_credentials::RootKey;
use gatewarden_mail::Mailer;
use gatewarden_store::{Database, Person, Signers, Store, StoreSettings};
use gatewarden_trail::Signer;
use gatewarden_types::{AllowedNetworks, Clock, Entropy, Timestamp};
use tempfile::TempDir;

use crate::sign_in::browser;

/// An instance that nobody has set up.
async fn instance(folder: &TempDir) -> App {
    let counter = std::sync::atomic::AtomicU64::new(1);
    let entropy = Entropy::new(move |bytes| {
        let next = counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let digest = gatewarden_credentials::digest(&next.to_be_bytes());
        bytes.iter_mut().zip(digest.0.iter().cycle()).for_each(|(byte, random)| *byte = *random);
    });
    let root = Arc::new(RootKey::generate(&entropy));
    let sealing = root.sealing();
    let clock = Clock::new(|| Timestamp::from_micros(1_767_225_600_000_000));
    let database = Database::Sqlite { folder: folder.path().join("data"), open_organizations: 4 };
    let signers = Signers::new(move |organization| Signer::from_seed(root.trail_seed(organization).expose()));
    let (origin, seconds) = ("gatewarden.test".to_owned(), (clock.clone(), entropy.clone()));
    let settings = StoreSettings { database, clock: seconds.0, entropy: seconds.1, signers, origin };
    App::new(AppParts {
        store: Store::open(settings).await.unwrap(),
        clock,
        entropy,
        sealing,
        upstreams: Upstreams::new(AllowedNetworks(Vec::new())).unwrap(),
        hashing: tokio::sync::Semaphore::new(2),
        mailer: Mailer::files(&folder.path().join("mail"), &"g@example.com".parse().unwrap()).unwrap(),
        public_url: "https://gatewarden.test".parse().unwrap(),
    })
}

fn person(email: &str) -> Person {
    Person { name: "Olive Owner".parse().unwrap(), email: email.parse().unwrap() }
}

fn command(code: &str, email: &str, slug: &str) -> SetUp {
    SetUp {
        code: code.to_owned(),
        owner: person(email),
        password: "correct horse battery".parse().unwrap(),
        organization: "Acme".parse().unwrap(),
        slug: slug.parse().unwrap(),
        browser: browser(1),
    }
}

#[tokio::test]
async fn the_code_makes_one_owner_once() {
    let folder = tempfile::tempdir().unwrap();
    let app = instance(&folder).await;
    assert!(set_up::waits(&app, app.id()).await.unwrap());
    let old = set_up::offer(&app, app.id()).await.unwrap().unwrap();
    let code = set_up::offer(&app, app.id()).await.unwrap().unwrap();
    for bad in ["", "x", old.expose()] {
        let hashed = app.passwords_hashed();
        let refused = set_up::set_up(&app, app.id(), command(bad, "olive@example.com", "acme")).await;
        assert!(matches!(refused, Err(Error::NotRecognized(_))));
        assert_eq!(app.passwords_hashed(), hashed, "who has no code makes no work");
    }
    let both = tokio::join!(
        set_up::set_up(&app, app.id(), command(code.expose(), "olive@example.com", "acme")),
        set_up::set_up(&app, app.id(), command(code.expose(), "eve@example.com", "evil")),
    );
    let [(_, signed_in)] = <[_; 1]>::try_from([both.0, both.1].into_iter().flatten().collect::<Vec<_>>())
        .unwrap_or_else(|done| panic!("{} became owners", done.len()));
    assert!(sessions::resume(&app, signed_in.token.expose(), app.id()).await.unwrap().is_some());
    assert!(!set_up::waits(&app, app.id()).await.unwrap());
    assert!(set_up::offer(&app, app.id()).await.unwrap().is_none());
    let again = set_up::set_up(&app, app.id(), command(code.expose(), "eve@example.com", "evil")).await;
    assert!(matches!(again, Err(Error::NotRecognized(_))));
    assert_eq!(app.store.places().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_command_line_opens_an_account_once() {
    let folder = tempfile::tempdir().unwrap();
    let app = instance(&folder).await;
    let init = |slug: &str| Init {
        owner: person("olive@example.com"),
        password: "correct horse battery".parse().unwrap(),
        organization: "Acme".parse().unwrap(),
        slug: slug.parse().unwrap(),
    };
    let first = set_up::init(&app, app.id(), init("acme")).await.unwrap();
    let second = set_up::init(&app, app.id(), init("other")).await.unwrap();
    assert!(first.opened && !second.opened && first.account == second.account);
    let taken = set_up::init(&app, app.id(), init("acme")).await;
    assert_eq!(crate::given::field(taken), "slug");
    assert_eq!(app.store.places().await.unwrap().len(), 2);
}
