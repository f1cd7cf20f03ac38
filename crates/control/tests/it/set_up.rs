//! The first start.

use gatewarden_control::{
    Error, authenticate, organizations, sessions,
    set_up::{self, Init, SetUp},
};
use gatewarden_store::Person;
use gatewarden_testkit::{Empty, World, on_both};

use crate::sign_in::browser;

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

/// An instance that nobody has set up, on the world's back end.
async fn empty(world: &World) -> Empty {
    match world.folder() {
        Some(_) => Empty::sqlite().await,
        None => Empty::postgres().await.unwrap(),
    }
}

on_both! {
    async fn the_code_makes_one_owner_once(world: World) {
        let empty = empty(&world).await;
        let app = empty.app();
        assert!(set_up::waits(app, app.id()).await.unwrap());
        let old = set_up::offer(app, app.id()).await.unwrap().unwrap();
        let code = set_up::offer(app, app.id()).await.unwrap().unwrap();
        for bad in ["", "x", old.expose()] {
            let hashed = app.passwords_hashed();
            let refused = set_up::set_up(app, app.id(), command(bad, "olive@example.com", "acme")).await;
            assert!(matches!(refused, Err(Error::NotRecognized(_))));
            assert_eq!(app.passwords_hashed(), hashed, "who has no code makes no work");
        }
        let both = tokio::join!(
            set_up::set_up(app, app.id(), command(code.expose(), "olive@example.com", "acme")),
            set_up::set_up(app, app.id(), command(code.expose(), "eve@example.com", "evil")),
        );
        let [(_, signed_in)] = <[_; 1]>::try_from([both.0, both.1].into_iter().flatten().collect::<Vec<_>>())
            .unwrap_or_else(|done| panic!("{} became owners", done.len()));
        assert!(sessions::resume(app, signed_in.token.expose(), app.id()).await.unwrap().is_some());
        assert!(!set_up::waits(app, app.id()).await.unwrap());
        assert!(set_up::offer(app, app.id()).await.unwrap().is_none());
        let again = set_up::set_up(app, app.id(), command(code.expose(), "eve@example.com", "evil")).await;
        assert!(matches!(again, Err(Error::NotRecognized(_))));
        assert_eq!(app.store.places().await.unwrap().len(), 1);
    }

    async fn the_command_line_opens_an_account_once(world: World) {
        let empty = empty(&world).await;
        let app = empty.app();
        let init = |slug: &str| Init {
            owner: person("olive@example.com"),
            password: "correct horse battery".parse().unwrap(),
            organization: "Acme".parse().unwrap(),
            slug: slug.parse().unwrap(),
        };
        let first = set_up::init(app, app.id(), init("acme")).await.unwrap();
        let second = set_up::init(app, app.id(), init("other")).await.unwrap();
        assert!(first.opened && !second.opened && first.account == second.account);
        let taken = set_up::init(app, app.id(), init("acme")).await;
        assert_eq!(crate::given::field(taken), "slug");
        assert_eq!(app.store.places().await.unwrap().len(), 2);
    }

    async fn the_first_owner_holds_the_organization_and_its_master_key(world: World) {
        let empty = empty(&world).await;
        let app = empty.app();
        let code = set_up::offer(app, app.id()).await.unwrap().unwrap();
        let command = command(code.expose(), "olive@example.com", "acme");
        let (created, signed_in) = set_up::set_up(app, app.id(), command).await.unwrap();
        let owner = sessions::resume(app, signed_in.token.expose(), app.id()).await.unwrap().unwrap().caller;
        let own = organizations::list_own(app, &owner).await.unwrap();
        assert_eq!((own.len(), own[0].slug.as_str(), own[0].role.as_str()), (1, "acme", "Owner"));
        let holder = authenticate::key_holder(app, created.master_key.expose().as_bytes(), app.id()).await.unwrap();
        let (caller, organization) = holder.unwrap();
        let read = organizations::read(app, &caller, organization).await.unwrap();
        assert_eq!((read.record.id, read.record.name.as_str()), (created.organization, "Acme"));
        let renamed = organizations::UpdateOrganization { name: Some("Acme Inc".parse().unwrap()), ..Default::default() };
        organizations::update(app, &caller, organization, renamed).await.unwrap();
    }
}
