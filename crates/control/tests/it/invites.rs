//! Inviting and accepting, by every kind of person.

use std::time::Duration;

use gatewarden_control::{
    Caller, Error, Once,
    invites::{self, AcceptNew, Delivery, InviteMember, Sent},
    members::{self, ChangeMemberRole},
    sessions, trail,
};
use gatewarden_testkit::{Someone, World};
use gatewarden_types::{Builtin, Job};

use crate::{
    given::{field, outsiders, refused},
    sign_in::browser,
};

async fn invite(world: &World, by: &Caller, email: &str, role: Builtin) -> Result<Sent, Error> {
    let command = InviteMember { email: email.parse().unwrap(), role: world.role(role), once: None };
    invites::create(world.app(), by, world.org(), command).await
}

/// An invite by the admin for the role of a viewer, and the token of its link.
async fn invited(world: &World, email: &str) -> (Sent, String) {
    let sent = invite(world, &world.admin().caller(), email, Builtin::Viewer).await.unwrap();
    let token = token(&sent);
    (sent, token)
}

fn token(sent: &Sent) -> String {
    let link = sent.link.as_ref().unwrap().expose();
    link.strip_prefix("https://gatewarden.test/invites/").unwrap().to_owned()
}

fn gone<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::NotRecognized(_)))
}

fn ruled<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Rule(_)))
}

async fn look(world: &World, token: &str) -> Result<invites::Invitation, Error> {
    invites::look(world.app(), world.app().id(), token).await
}

async fn accept(world: &World, by: &Someone, token: &str) -> Result<invites::Accepted, Error> {
    invites::accept(world.app(), &by.caller(), token).await
}

fn new(token: &str) -> AcceptNew {
    AcceptNew {
        token: token.to_owned(),
        name: "Nina New".parse().unwrap(),
        password: "a fresh long password".parse().unwrap(),
        browser: browser(1),
    }
}

gatewarden_testkit::on_both! {
    // proves RQ-023, RQ-027, RL-013, PK-045
    async fn owners_and_admins_invite_within_their_power(world: World) {
        let before = world.tables(world.org()).await;
        let system = Caller::system(Job::Follower, world.app().id());
        let others = [world.member().caller(), world.viewer().caller(), system];
        for other in others.into_iter().chain(outsiders(&world)) {
            assert!(refused(&invite(&world, &other, "n@example.com", Builtin::Viewer).await));
            assert!(refused(&invites::list(world.app(), &other, world.org()).await));
        }
        assert!(refused(&invite(&world, &world.admin().caller(), "n@example.com", Builtin::Owner).await));
        let master = world.house().master.caller();
        assert!(ruled(&invite(&world, &master, "n@example.com", Builtin::Viewer).await), "nobody would vouch for it");
        assert_eq!(world.tables(world.org()).await, before);

        let sent = invite(&world, &world.owner().caller(), "n@example.com", Builtin::Owner).await.unwrap();
        assert_eq!(sent.delivery, Some(Delivery::Written));
        invited(&world, "m@example.com").await;
        let listed = invites::list(world.app(), &world.admin().caller(), world.org()).await.unwrap().rows;
        let shown: Vec<_> = listed.iter().map(|row| row.email.as_ref().unwrap().as_str()).collect();
        assert_eq!(shown, ["m@example.com", "n@example.com"]);
        assert_eq!(listed[0].invited_by.as_ref(), Some(&world.admin().person.name));
        assert!(!listed[0].ended && listed[0].role.as_ref().unwrap().as_str() == "Viewer");
    }

    async fn an_address_is_invited_once(world: World) {
        let admin = world.admin().caller();
        let of_member = world.viewer().person.email.as_str().to_owned();
        assert_eq!(field(invite(&world, &admin, &of_member, Builtin::Viewer).await), "email");
        let (first, _) = invited(&world, "n@example.com").await;
        assert_eq!(field(invite(&world, &admin, "N@Example.com", Builtin::Member).await), "email");
        world.time().pass(Duration::from_hours(7 * 24));
        let (second, _) = invited(&world, "n@example.com").await;
        let again = invites::resend(world.app(), &admin, world.org(), first.invite.value.id, None).await;
        assert_eq!(field(again), "email");
        invites::revoke(world.app(), &admin, world.org(), second.invite.value.id, None).await.unwrap();
        invited(&world, "n@example.com").await;
    }

    async fn a_repeated_request_invites_once(world: World) {
        let admin = world.admin().caller();
        let command = |request| InviteMember {
            email: "n@example.com".parse().unwrap(),
            role: world.role(Builtin::Viewer),
            once: Some(Once { word: "w".to_owned(), request: [request; 32] }),
        };
        let first = invites::create(world.app(), &admin, world.org(), command(1)).await.unwrap();
        let again = invites::create(world.app(), &admin, world.org(), command(1)).await.unwrap();
        assert_eq!(first.invite.value, again.invite.value);
        assert!(first.link.is_some() && again.link.is_none() && again.delivery.is_none());
        let other = invites::create(world.app(), &admin, world.org(), command(2)).await;
        assert!(matches!(other, Err(Error::Reused)));
    }

    async fn looking_consumes_nothing_and_accepting_works_once(world: World) {
        let (sent, token) = invited(&world, "nina@example.com").await;
        let before = (world.tables(world.org()).await, world.control_tables().await);
        let seen = look(&world, &token).await.unwrap();
        assert_eq!(look(&world, &token).await.unwrap(), seen);
        assert_eq!((seen.name.as_str(), seen.role.as_str(), seen.email.as_str()), ("here", "Viewer", "nina@example.com"));
        assert_eq!((seen.invited_by.as_ref(), seen.has_account), (Some(&world.admin().person.name), false));
        assert_eq!((world.tables(world.org()).await, world.control_tables().await), before);

        let (joined, signed_in) = invites::accept_new(world.app(), world.app().id(), new(&token)).await.unwrap();
        assert_eq!((joined.organization, joined.member.value.role), (world.org(), world.role(Builtin::Viewer)));
        let resumed = sessions::resume(world.app(), signed_in.token.expose(), world.app().id()).await.unwrap().unwrap();
        assert!(members::read(world.app(), &resumed.caller, world.org(), joined.member.value.id).await.is_ok());
        assert!(world.app().store.place("here", resumed.account).await.unwrap().is_some());
        assert!(gone(&look(&world, &token).await));
        assert!(gone(&invites::accept_new(world.app(), world.app().id(), new(&token)).await));
        assert!(ruled(&invites::accept(world.app(), &resumed.caller, &token).await), "a member already");
        let revoked = invites::revoke(world.app(), &world.admin().caller(), world.org(), sent.invite.value.id, None).await;
        assert!(ruled(&revoked), "accepted");
        let secret = token.split_once('.').unwrap().1.to_owned();
        let kept = format!("{:?}{:?}", world.tables(world.org()).await, world.trail(world.org()).await);
        assert!(!kept.contains(&secret) && !kept.contains("a fresh long password"));
    }

    async fn links_that_lead_nowhere_are_alike(world: World) {
        let admin = world.admin().caller();
        let (old, old_token) = invited(&world, "a@example.com").await;
        let sent = invites::resend(world.app(), &admin, world.org(), old.invite.value.id, Some(old.invite.version)).await;
        let fresh = token(&sent.unwrap());
        let (revoked, revoked_token) = invited(&world, "b@example.com").await;
        let taken_back = invites::revoke(world.app(), &admin, world.org(), revoked.invite.value.id, None).await.unwrap();
        let again = invites::revoke(world.app(), &admin, world.org(), revoked.invite.value.id, None).await.unwrap();
        assert_eq!(taken_back.version, again.version, "told once");
        let (_, other) = invited(&world, "c@example.com").await;
        let mixed = format!("{}.{}", fresh.split_once('.').unwrap().0, other.split_once('.').unwrap().1);
        let unknown = format!("{}.{}", world.app().id::<gatewarden_types::Invite>(), "A".repeat(43));
        assert!(look(&world, &fresh).await.is_ok());
        let mut texts = Vec::new();
        let someone = world.account("Some One").await;
        for token in [&old_token, &revoked_token, &mixed, &unknown, "", "x.y"] {
            texts.push(look(&world, token).await.unwrap_err().to_string());
            texts.push(accept(&world, &someone, token).await.unwrap_err().to_string());
        }
        world.time().pass(Duration::from_hours(7 * 24));
        texts.push(look(&world, &fresh).await.unwrap_err().to_string());
        texts.dedup();
        assert_eq!(texts.len(), 1, "{texts:?}");
        let conflict = invites::resend(world.app(), &admin, world.org(), old.invite.value.id, Some(1)).await;
        assert!(matches!(conflict, Err(Error::Conflict { .. })));
    }

    async fn an_invite_is_for_its_address(world: World) {
        let nina = world.account("Nina").await;
        let other = world.account("Other").await;
        let (_, token) = invited(&world, nina.person.email.as_str()).await;
        assert!(look(&world, &token).await.unwrap().has_account);
        let hashed = world.app().passwords_hashed();
        assert!(ruled(&invites::accept_new(world.app(), world.app().id(), new(&token)).await), "sign in instead");
        assert_eq!(world.app().passwords_hashed(), hashed, "looked at before any work is done");
        for wrong in [&other, world.stranger()] {
            assert!(ruled(&accept(&world, wrong, &token).await));
        }
        assert!(ruled(&accept(&world, world.suspended(), &token).await), "a member already");
        assert!(refused(&invites::accept(world.app(), &world.anonymous(), &token).await));
        assert!(accept(&world, &nina, &token).await.is_ok());
    }

    async fn of_two_who_accept_at_once_one_joins(world: World) {
        let nina = world.account("Nina").await;
        let (_, token) = invited(&world, nina.person.email.as_str()).await;
        let entries = world.trail(world.org()).await.len();
        let both = tokio::join!(accept(&world, &nina, &token), accept(&world, &nina, &token));
        assert_eq!(usize::from(both.0.is_ok()) + usize::from(both.1.is_ok()), 1);
        assert_eq!(world.trail(world.org()).await.len(), entries + 1);
    }

    async fn the_role_is_bounded_by_the_senders_power_when_it_is_accepted(world: World) {
        let (owner, admin) = (world.owner().caller(), world.admin());
        let nina = world.account("Nina").await;
        let (sent, token) = invited(&world, nina.person.email.as_str()).await;
        let demote = |role| ChangeMemberRole { member: admin.id(), role: world.role(role), seen: None };
        members::change_role(world.app(), &owner, world.org(), demote(Builtin::Member)).await.unwrap();
        let before = world.tables(world.org()).await;
        assert!(ruled(&accept(&world, &nina, &token).await), "demoted");
        assert!(ruled(&look(&world, &token).await));
        assert_eq!(world.tables(world.org()).await, before);
        members::change_role(world.app(), &owner, world.org(), demote(Builtin::Admin)).await.unwrap();
        members::suspend(world.app(), &owner, world.org(), admin.id(), None).await.unwrap();
        assert!(ruled(&accept(&world, &nina, &token).await), "suspended");
        let id = sent.invite.value.id;
        let vouched = invites::resend(world.app(), &owner, world.org(), id, None).await.unwrap();
        assert_eq!(vouched.invite.value.invited_by, world.owner().id());
        assert!(accept(&world, &nina, &self::token(&vouched)).await.is_ok(), "the owner vouches now");
    }

    async fn invites_of_a_removed_member_are_dead(world: World) {
        let nina = world.account("Nina").await;
        let (_, token) = invited(&world, nina.person.email.as_str()).await;
        members::remove(world.app(), &world.owner().caller(), world.org(), world.admin().id(), None).await.unwrap();
        assert!(gone(&accept(&world, &nina, &token).await));
    }

    async fn where_an_invite_went_is_forgotten_once_it_is_answered_or_taken_back(world: World) {
        let (app, org) = (world.app(), world.org());
        let nina = world.account("Nina").await;
        let (accepted, token) = invited(&world, nina.person.email.as_str()).await;
        let (revoked, _) = invited(&world, "b@example.com").await;
        let (left, _) = invited(&world, "c@example.com").await;
        let addresses = || async { format!("{:?}", world.tables(org).await["invite_addresses"]) };
        let before = addresses().await;
        assert!(["nina@", "b@", "c@"].iter().all(|part| before.contains(part)), "{before}");
        accept(&world, &nina, &token).await.unwrap();
        invites::revoke(app, &world.owner().caller(), org, revoked.invite.value.id, None).await.unwrap();
        let after = addresses().await;
        assert!(!after.contains("nina@") && !after.contains("b@") && after.contains("c@"), "{after}");
        members::remove(app, &world.owner().caller(), org, world.admin().id(), None).await.unwrap();
        assert!(!addresses().await.contains("c@"), "taken back with its sender");
        for invite in [accepted, revoked, left] {
            let entry = trail::read(app, &world.owner().caller(), org, invite.invite.version).await.unwrap().unwrap();
            assert_eq!(entry.names.target(&entry.entry), "an invite");
        }
    }

    async fn who_may_not_send_again_or_revoke(world: World) {
        let sent = invite(&world, &world.owner().caller(), "o@example.com", Builtin::Owner).await.unwrap();
        let id = sent.invite.value.id;
        let before = world.tables(world.org()).await;
        for other in [world.member().caller(), world.viewer().caller()].into_iter().chain(outsiders(&world)) {
            assert!(refused(&invites::resend(world.app(), &other, world.org(), id, None).await));
            assert!(refused(&invites::revoke(world.app(), &other, world.org(), id, None).await));
        }
        let admin = world.admin().caller();
        assert!(refused(&invites::resend(world.app(), &admin, world.org(), id, None).await), "gives an owner's power");
        assert_eq!(world.tables(world.org()).await, before);
    }

    async fn mail_that_fails_undoes_nothing_and_shows_the_link(world: World) {
        std::fs::remove_dir_all(world.mail()).unwrap();
        let (sent, token) = invited(&world, "nina@example.com").await;
        assert_eq!(sent.delivery, Some(Delivery::Failed));
        assert!(look(&world, &token).await.is_ok());
        std::fs::create_dir_all(world.mail()).unwrap();
    }
}
