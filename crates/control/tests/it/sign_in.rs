//! Signing in, browser sessions, and one's own account.

use std::{net::IpAddr, time::Duration};

use gatewarden_control::{
    Error,
    account::{self, NewPassword},
    invites::{self, InviteMember},
    members,
    sessions::{self, Browser, SignedIn},
    sign_in::{self, SignIn},
};
use gatewarden_credentials::Secret;
use gatewarden_testkit::{PASSWORD, World};
use gatewarden_types::Levels;

use crate::given::refused;

/// [`PASSWORD`], hashed with 8 KiB and one pass.
const OLD_HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$Z2F0ZXdhcmRlbi1zYWx0IQ$BZFwR7FcNLACdBqJASy46Fch4rdcP21dbkynxUskitc";

pub fn browser(last: u8) -> Browser {
    Browser { device: "Firefox\u{7}".to_owned(), network: IpAddr::from([192, 0, 2, last]) }
}

async fn try_from(world: &World, email: &str, password: &str, last: u8) -> Result<SignedIn, Error> {
    let password = Secret::new(password.to_owned());
    let command = SignIn { email: email.parse().unwrap(), password, browser: browser(last) };
    sign_in::sign_in(world.app(), world.app().id(), command).await
}

async fn signed_in(world: &World) -> SignedIn {
    try_from(world, world.member().person.email.as_str(), PASSWORD, 1).await.unwrap()
}

async fn resume(world: &World, token: &str) -> Option<sessions::Resumed> {
    sessions::resume(world.app(), token, world.app().id()).await.unwrap()
}

/// Another password than [`PASSWORD`].
const NEW: &str = "a kettle on the moon";

/// [`NEW`] instead of `current`.
fn another(current: &str) -> NewPassword {
    NewPassword { current: Secret::new(current.to_owned()), new: NEW.parse().unwrap(), browser: browser(1) }
}

gatewarden_testkit::on_both! {
    async fn a_password_opens_a_session_and_leaves_an_entry(world: World) {
        let entries = world.control_tables().await["entries"].len();
        let done = signed_in(&world).await;
        assert_eq!(done.account, world.member().account);
        let resumed = resume(&world, done.token.expose()).await.unwrap();
        assert_eq!((resumed.account, resumed.session.id), (done.account, done.session));
        assert_eq!((resumed.session.device.as_str(), resumed.session.network.as_str()), ("Firefox", "192.0.2.1"));
        let tables = world.control_tables().await;
        assert_eq!(tables["entries"].len(), entries + 1);
        assert!(!format!("{tables:?}").contains(done.token.expose()));
        for bad in ["", "x", &"A".repeat(43)] {
            assert!(resume(&world, bad).await.is_none());
        }
    }

    async fn known_and_unknown_addresses_are_alike(world: World) {
        let before = world.control_tables().await;
        let mut work = Vec::new();
        let known = world.member().person.email.as_str();
        for (email, password) in [(known, "not the password"), ("nobody@example.com", PASSWORD)] {
            let (asked, hashed) = (world.app().store.statements(), world.app().passwords_hashed());
            let Err(Error::NotRecognized(text)) = try_from(&world, email, password, 1).await else {
                panic!("neither is recognized");
            };
            work.push((text, world.app().store.statements() - asked, world.app().passwords_hashed() - hashed));
        }
        assert_eq!(work[0], work[1]);
        assert!(work[0].1 > 0 && work[0].2 == 1, "it was looked up, and one password compared");
        assert_eq!(world.control_tables().await, before, "what fails leaves nothing");
    }

    async fn a_hash_of_old_parameters_is_renewed_by_the_next_sign_in(world: World) {
        let member = world.member().account.uuid();
        let password = || async {
            let rows = world.control_tables().await["accounts"].clone();
            format!("{:?}", rows.iter().find(|row| format!("{row:?}").contains("max.member")).unwrap())
        };
        let set = format!("UPDATE accounts SET password = '{OLD_HASH}' WHERE email = 'max.member@example.com'");
        world.beneath_control().await.run(&set).await.unwrap();
        assert!(matches!(try_from(&world, "max.member@example.com", "wrong", 1).await, Err(Error::NotRecognized(_))));
        assert!(password().await.contains("m=8,"), "who is wrong changes nothing");
        assert_eq!(signed_in(&world).await.account.uuid(), member);
        let renewed = password().await;
        assert!(renewed.contains("m=19456,t=2,p=1") && !renewed.contains("m=8,"), "{renewed}");
        signed_in(&world).await;
        assert_eq!(password().await, renewed, "once");
    }

    async fn a_session_ends_when_idle_and_at_last(world: World) {
        let done = signed_in(&world).await;
        world.time().pass(Duration::from_hours(11));
        assert!(resume(&world, done.token.expose()).await.is_some(), "and is noted as used");
        world.time().pass(Duration::from_hours(11));
        assert!(resume(&world, done.token.expose()).await.is_some());
        world.time().pass(Duration::from_hours(12));
        assert!(resume(&world, done.token.expose()).await.is_none(), "idle");
        let done = signed_in(&world).await;
        for _ in 0..(30 * 24 / 10) {
            assert!(resume(&world, done.token.expose()).await.is_some());
            world.time().pass(Duration::from_hours(10));
        }
        assert!(resume(&world, done.token.expose()).await.is_none(), "over");
        let kept = world.control_tables().await["sessions"].len();
        signed_in(&world).await;
        assert_eq!(world.control_tables().await["sessions"].len(), kept, "what has ended makes room");
    }

    async fn use_is_noted_once_a_minute(world: World) {
        let done = signed_in(&world).await;
        let before = world.control_tables().await;
        resume(&world, done.token.expose()).await.unwrap();
        assert_eq!(world.control_tables().await, before);
        world.time().pass(Duration::from_mins(1));
        resume(&world, done.token.expose()).await.unwrap();
        assert_ne!(world.control_tables().await, before);
    }

    async fn one_ends_ones_own_sessions_alone(world: World) {
        let app = world.app();
        let (here, elsewhere, third) = (signed_in(&world).await, signed_in(&world).await, signed_in(&world).await);
        let caller = resume(&world, here.token.expose()).await.unwrap().caller;
        let own = sessions::list(app, &caller).await.unwrap();
        assert_eq!(own.len(), 3);
        assert_eq!(own.iter().filter(|own| own.current).map(|own| own.row.id).collect::<Vec<_>>(), [here.session]);

        let before = world.control_tables().await;
        for other in [world.owner().caller(), world.stranger().caller(), world.anonymous()] {
            assert!(refused(&sessions::revoke(app, &other, elsewhere.session).await));
        }
        assert!(refused(&sessions::revoke(app, &caller, app.id()).await));
        assert!(refused(&sessions::list(app, &world.anonymous()).await));
        assert_eq!(world.control_tables().await, before);

        sessions::revoke(app, &caller, elsewhere.session).await.unwrap();
        assert!(resume(&world, elsewhere.token.expose()).await.is_none());
        assert_eq!(sessions::revoke_others(app, &caller).await.unwrap(), 1);
        assert!(resume(&world, third.token.expose()).await.is_none());
        assert_eq!(sessions::revoke_others(app, &caller).await.unwrap(), 0);

        sessions::sign_out(app, &caller).await.unwrap();
        let after = world.control_tables().await;
        sessions::sign_out(app, &caller).await.unwrap();
        assert_eq!(world.control_tables().await, after, "signed out once, told once");
        assert!(resume(&world, here.token.expose()).await.is_none());
    }

    async fn guessing_is_slowed_and_locks_nobody_out(world: World) {
        let email = world.member().person.email.to_string();
        for _ in 0..5 {
            assert!(matches!(try_from(&world, &email, "guess", 9).await, Err(Error::NotRecognized(_))));
        }
        let hashed = world.app().passwords_hashed();
        assert!(matches!(try_from(&world, &email, PASSWORD, 9).await, Err(Error::TooMany(1..=60))));
        assert_eq!(world.app().passwords_hashed(), hashed);
        assert!(try_from(&world, &email, PASSWORD, 1).await.is_ok());
        world.time().pass(Duration::from_mins(1));
        assert!(try_from(&world, &email, PASSWORD, 9).await.is_ok());
    }

    async fn an_account_is_its_own_holders_and_no_keys(world: World) {
        let app = world.app();
        let caller = world.viewer().caller();
        assert_eq!(account::read(app, &caller).await.unwrap().person, world.viewer().person);
        let renamed = account::rename(app, &caller, "Vera Vale".parse().unwrap()).await.unwrap();
        assert_eq!(renamed.person.name.as_str(), "Vera Vale");
        assert_eq!(account::read(app, &caller).await.unwrap(), renamed);
        let before = world.control_tables().await;
        account::rename(app, &caller, "Vera Vale".parse().unwrap()).await.unwrap();
        let key = world.key(Levels::default()).await.caller();
        for other in [key, world.anonymous()] {
            assert!(refused(&account::read(app, &other).await));
            assert!(refused(&account::rename(app, &other, "X".parse().unwrap()).await));
            assert!(refused(&sessions::list(app, &other).await));
            assert!(refused(&sessions::revoke_others(app, &other).await));
        }
        assert_eq!(world.control_tables().await["entries"], before["entries"]);
    }

    async fn a_password_is_changed_by_whoever_knows_it(world: World) {
        let app = world.app();
        let email = world.viewer().person.email.to_string();
        let here = try_from(&world, &email, PASSWORD, 1).await.unwrap();
        let there = try_from(&world, &email, PASSWORD, 2).await.unwrap();
        let caller = resume(&world, here.token.expose()).await.unwrap().caller;
        let before = world.control_tables().await;
        let key = world.key(Levels::default()).await.caller();
        for other in [key, world.anonymous()] {
            assert!(refused(&account::change_password(app, &other, another(PASSWORD)).await));
        }
        let guessed = account::change_password(app, &caller, another("guess")).await;
        assert!(matches!(guessed, Err(Error::Invalid(wrong)) if wrong[0].field == "current"));
        assert_eq!(world.control_tables().await["accounts"], before["accounts"]);

        let (anew, others) = account::change_password(app, &caller, another(PASSWORD)).await.unwrap();
        assert_eq!(others, 1);
        assert!(resume(&world, anew.token.expose()).await.is_some());
        for old in [here, there] {
            assert!(resume(&world, old.token.expose()).await.is_none(), "its cookie may be in other hands");
        }
        assert!(matches!(try_from(&world, &email, PASSWORD, 1).await, Err(Error::NotRecognized(_))));
        assert!(try_from(&world, &email, NEW, 1).await.is_ok());
        let after = world.control_tables().await;
        assert!(!format!("{after:?}").contains(NEW) && after["entries"].len() > before["entries"].len());
    }

    async fn a_stolen_session_is_no_place_to_guess_the_password(world: World) {
        let (app, caller) = (world.app(), world.viewer().caller());
        for _ in 0..5 {
            let guessed = account::change_password(app, &caller, another("guess")).await;
            assert!(matches!(guessed, Err(Error::Invalid(_))));
        }
        let hashed = app.passwords_hashed();
        let slowed = account::change_password(app, &caller, another(PASSWORD)).await;
        assert!(matches!(slowed, Err(Error::TooMany(1..=60))));
        assert_eq!(app.passwords_hashed(), hashed);
    }

    async fn a_new_name_is_carried_into_every_organization(world: World) {
        let (app, org, viewer) = (world.app(), world.org(), world.viewer());
        let third = world.found("third").await;
        let role = third.role(gatewarden_types::Builtin::Member);
        let invite = InviteMember { email: viewer.person.email.clone(), role, once: None };
        let sent = invites::create(app, &third.owner.caller(), third.id, invite).await.unwrap();
        let link = sent.link.unwrap();
        let token = link.expose().rsplit('/').next().unwrap();
        let there = invites::accept(app, &viewer.caller(), token).await.unwrap().member.value.id;
        let entries = world.trail(org).await.len();
        account::rename(app, &viewer.caller(), "Vera Vale".parse().unwrap()).await.unwrap();
        for (owner, organization, member) in [(world.owner(), org, viewer.id()), (&third.owner, third.id, there)] {
            let row = members::read(app, &owner.caller(), organization, member).await.unwrap();
            assert_eq!(row.person.unwrap().name.as_str(), "Vera Vale");
        }
        let others = members::read(app, &world.owner().caller(), org, world.member().id()).await.unwrap();
        assert_eq!(others.person.unwrap(), world.member().person, "nobody else's");
        assert_eq!(world.trail(org).await.len(), entries, "what people are called is no policy");
    }
}
