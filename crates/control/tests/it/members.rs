use gatewarden_control::{
    Error,
    invites::{self, InviteMember},
    keys,
    members::{self, ChangeMemberRole, ListMembers, MemberFilter, MemberOrder},
};
use gatewarden_testkit::{Someone, World, on_both};
use gatewarden_trail::Entry;
use gatewarden_types::{Builtin, Feature, Id, Key, KeyState, Level, Member, MemberState, Role, Seq, Target};

use crate::actors::{
    Answer,
    Answer::{Done, No, NotFound},
    FOR_ADMINS, Who, but, change, read,
};

async fn join(world: &World, who: Who) -> Id<Member> {
    world.house().join(&format!("Target of {who:?}"), Builtin::Member).await.id()
}

fn to(member: Id<Member>, role: Id<Role>, seen: Option<Seq>) -> ChangeMemberRole {
    ChangeMemberRole { member, role, seen }
}

fn everyone() -> ListMembers {
    ListMembers { filter: MemberFilter::default(), order: MemberOrder::default(), from: None, limit: 50 }
}

async fn row(world: &World, member: Id<Member>) -> (Member, Seq) {
    let row = members::read(world.app(), &world.owner().caller(), world.org(), member).await.unwrap().member;
    (row.record, row.version)
}

/// A second owner.
async fn owner(world: &World, name: &str) -> Someone {
    world.house().join(name, Builtin::Owner).await
}

fn is_rule<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Rule(text)) if text.contains("last owner"))
}

/// The version that a conflict tells.
fn conflict<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Seq {
    match outcome {
        Err(Error::Conflict { version }) => version,
        other => panic!("a conflict was due, not {other:?}"),
    }
}

on_both! {
    // proves RQ-023, RQ-027, RL-044, PK-046, PK-097, LL-089, LL-096
    async fn owners_and_admins_change_roles_and_nobody_else(world: World) {
        let (app, org, viewer) = (world.app(), world.org(), world.role(Builtin::Viewer));
        let done = change(&world, "member.change_role", &FOR_ADMINS, async |who| join(&world, who).await, async |by, member| {
            let (before, version) = row(&world, member).await;
            let changed = members::change_role(app, &by, org, to(member, viewer, Some(version))).await?;
            assert_eq!((changed.before, changed.version), (before.role, world.trail(org).await.len() as u64));
            Ok(())
        }).await;
        for (who, member, entry) in done {
            assert_eq!(entry.target, Target::of(member), "{who:?}");
            let (record, version) = row(&world, member).await;
            assert_eq!((record.role, version), (viewer, entry.seq), "{who:?}");
            assert_eq!(entry.changes.len(), 1);
            assert_eq!(entry.changes[0].after, Some(serde_json::to_value(&record).unwrap()), "the after-image is the row");
        }
    }

    // proves RQ-023, RQ-027, PK-097
    async fn owners_and_admins_suspend_and_reinstate_and_nobody_else(world: World) {
        let (app, org) = (world.app(), world.org());
        let join = async |who| join(&world, who).await;
        let done = change(&world, "member.suspend", &FOR_ADMINS, join, async |by, member| {
            let changed = members::suspend(app, &by, org, member, None).await?;
            assert_eq!(changed.value.state, MemberState::Suspended);
            let again = members::suspend(app, &by, org, member, Some(changed.version)).await?;
            assert_eq!(again.version, changed.version, "twice is once");
            Ok(())
        }).await;
        for (_, member, entry) in &done {
            assert_eq!((entry.target.clone(), row(&world, *member).await.1), (Target::of(*member), entry.seq));
        }
        let suspended = async |who: Who| {
            let member = world.house().join(&format!("Suspended for {who:?}"), Builtin::Member).await.id();
            members::suspend(app, &world.owner().caller(), org, member, None).await.unwrap();
            member
        };
        let done = change(&world, "member.reinstate", &FOR_ADMINS, suspended, async |by, member| {
            let (before, version) = row(&world, member).await;
            let changed = members::reinstate(app, &by, org, member, Some(version)).await?;
            assert_eq!(changed.value, Member { state: MemberState::Active, ..before });
            Ok(())
        }).await;
        assert_eq!(done.len(), 4);
    }

    // proves RQ-023, RQ-027, RL-014, RL-016, PK-097
    async fn owners_and_admins_remove_a_member_with_their_keys_and_invites(world: World) {
        let (app, org) = (world.app(), world.org());
        let with_key = async |who: Who| {
            let target = world.house().join(&format!("Target of {who:?}"), Builtin::Admin).await;
            let key = world.key_of(&target, Key::usual_levels()).await.key;
            let email = format!("guest.of.{who:?}@example.com").parse().unwrap();
            let invite = InviteMember { email, role: world.role(Builtin::Viewer), once: None };
            let invite = invites::create(app, &target.caller(), org, invite).await.unwrap().invite.value.id;
            (target.id(), key, invite)
        };
        let told = FOR_ADMINS;
        let done = change(&world, "member.remove", &told, with_key, async |by, (member, ..)| {
            members::remove(app, &by, org, member, None).await.map(drop)
        }).await;
        for (who, (member, key, invite), entry) in done {
            let gone = members::read(app, &world.owner().caller(), org, member).await;
            assert_eq!(Answer::of(&gone), NotFound, "{who:?}");
            let key = keys::read(app, &world.owner().caller(), org, key).await.unwrap().0.key;
            assert_eq!((key.record.state, key.version), (KeyState::Revoked, entry.seq), "{who:?}");
            let changed: Vec<_> = entry.changes.iter().map(|change| (change.id, change.after.is_some())).collect();
            assert_eq!(changed, [(key.record.id.uuid(), true), (invite.uuid(), true), (member.uuid(), false)]);
            let people = world.beneath(org).await.rows("people").await;
            assert!(people.iter().all(|person| !person.contains(&format!("Target of {who:?}"))), "they are forgotten");
        }
    }

    // proves RQ-039
    async fn lists_and_rows_show_what_one_may_see(world: World) {
        let (app, org) = (world.app(), world.org());
        let told = but(FOR_ADMINS, [(Who::Member, Done), (Who::Viewer, Done), (Who::ReadingKey, Done)]);
        let lists = read(&world, &told, async |by| members::list(app, &by, org, everyone()).await).await;
        for (who, listed) in lists {
            let mut names: Vec<_> = listed.page.rows.iter().map(|row| row.person.name.as_str()).collect();
            names.sort_unstable();
            let all = ["Ada Admin", "Max Member", "Olive Owner", "Sue Suspended", "Vera Viewer"];
            assert_eq!(names, if who == Who::Member { &all[1..2] } else { &all[..] }, "{who:?}");
            assert_eq!((listed.page.total, listed.page.more), (names.len() as u64, false), "{who:?}");
            assert_eq!(listed.kept_role, Some(world.role(Builtin::Owner)), "{who:?}");
        }
        let viewer = world.viewer().id();
        let told = but(FOR_ADMINS, [(Who::Viewer, Done), (Who::ReadingKey, Done)]);
        let rows = read(&world, &told, async |by| members::read(app, &by, org, viewer).await).await;
        assert!(rows.iter().all(|(_, one)| one.member.record.id == viewer && one.role.as_ref().unwrap().builtin == Some(Builtin::Viewer)));
        let own = members::read(app, &world.member().caller(), org, world.member().id()).await.unwrap();
        assert_eq!(own.person.unwrap(), world.member().person);
        let one = members::one(app, &world.member().caller(), org, viewer).await.unwrap();
        assert!(one.page.rows.is_empty(), "a row to draw is seen by the same reach");
        for id in [app.id(), world.stranger().id()] {
            let absent = members::read(app, &world.owner().caller(), org, id).await;
            assert_eq!(Answer::of(&absent), NotFound);
        }
    }

    // proves PK-082, PK-083, PK-085, PK-089
    async fn a_key_does_to_members_what_its_level_says(world: World) {
        let (app, org) = (world.app(), world.org());
        let beyond = No("role_beyond_the_key");
        let levels = [
            (Level::Read, [No("key_level"); 3]),
            (Level::Write, [Done, beyond, No("key_level")]),
            (Level::Delete, [Done, beyond, Done]),
        ];
        for (level, told) in levels {
            let by = world.key_of(world.owner(), [(Feature::Members, level)].into()).await;
            let member = world.house().join(&format!("Target at {level:?}"), Builtin::Member).await.id();
            let list = members::list(app, &by.caller(), org, everyone()).await;
            assert_eq!(Answer::of(&list), Done, "{level:?}");
            let answers = [
                Answer::of(&members::suspend(app, &by.caller(), org, member, None).await),
                Answer::of(&members::reinstate(app, &by.caller(), org, member, None).await),
                Answer::of(&members::remove(app, &by.caller(), org, member, None).await),
            ];
            assert_eq!(answers, told, "{level:?}");
        }
        let none = world.key_of(world.owner(), Key::usual_levels()).await;
        let list = members::list(app, &none.caller(), org, everyone()).await;
        assert_eq!(Answer::of(&list), No("key_level"));
    }

    // proves LL-088
    async fn no_one_acts_on_someone_above_them_or_gives_what_they_do_not_hold(world: World) {
        let (app, org) = (world.app(), world.org());
        let second = owner(&world, "Otto Owner").await;
        for by in [world.admin().caller(), world.house().master.caller()] {
            let change = |member, role| members::change_role(app, &by, org, to(member, world.role(role), None));
            let before = world.tables(org).await;
            let answers = [
                Answer::of(&change(second.id(), Builtin::Viewer).await),
                Answer::of(&members::suspend(app, &by, org, second.id(), None).await),
                Answer::of(&members::reinstate(app, &by, org, second.id(), None).await),
                Answer::of(&members::remove(app, &by, org, second.id(), None).await),
            ];
            assert_eq!(answers, [No("target_above_you"); 4], "{by:?}");
            assert_eq!(Answer::of(&change(world.viewer().id(), Builtin::Owner).await), No("beyond_your_power"), "{by:?}");
            assert_eq!(world.tables(org).await, before);
        }
        let by = world.owner().caller();
        for absent in [app.id(), world.other_house().role(Builtin::Viewer)] {
            let to_absent = members::change_role(app, &by, org, to(world.viewer().id(), absent, None)).await;
            assert_ne!(Answer::of(&to_absent), Done, "a role of another organization is none");
        }
        let own = world.key_of(world.owner(), Key::all_levels()).await;
        members::suspend(app, &own.caller(), org, second.id(), None).await.unwrap();
        members::change_role(app, &by, org, to(second.id(), world.role(Builtin::Member), None)).await.unwrap();
        members::remove(app, &world.admin().caller(), org, second.id(), None).await.unwrap();
    }

    async fn the_last_owner_stays(world: World) {
        let (app, org, last) = (world.app(), world.org(), world.owner());
        let before = (world.tables(org).await, world.trail(org).await.len());
        let all = world.key_of(last, Key::all_levels()).await;
        assert_eq!(world.trail(org).await.len(), before.1 + 1, "but for the key");
        let before = (world.tables(org).await, world.trail(org).await.len());
        for by in [last.caller(), all.caller()] {
            let demote = to(last.id(), world.role(Builtin::Admin), None);
            assert!(is_rule(&members::change_role(app, &by, org, demote).await));
            assert!(is_rule(&members::suspend(app, &by, org, last.id(), None).await));
            assert!(is_rule(&members::remove(app, &by, org, last.id(), None).await));
            let same = to(last.id(), world.role(Builtin::Owner), None);
            members::change_role(app, &by, org, same).await.unwrap();
        }
        assert_eq!((world.tables(org).await, world.trail(org).await.len()), before);

        let second = owner(&world, "Otto Owner").await;
        members::suspend(app, &last.caller(), org, second.id(), None).await.unwrap();
        assert!(is_rule(&members::remove(app, &last.caller(), org, last.id(), None).await), "one who is suspended does not count");
        members::reinstate(app, &last.caller(), org, second.id(), None).await.unwrap();
        let listed = members::list(app, &last.caller(), org, everyone()).await.unwrap();
        assert_eq!(listed.kept_role, None);
        members::remove(app, &last.caller(), org, last.id(), None).await.unwrap();
        assert!(is_rule(&members::suspend(app, &second.caller(), org, second.id(), None).await));
    }

    async fn of_two_owners_who_leave_at_once_one_stays(world: World) {
        let org = world.org();
        let apps = [world.open_again().await.unwrap(), world.open_again().await.unwrap()];
        let (mut kept, admin) = (world.owner().clone(), world.role(Builtin::Admin));
        for round in 0..3 {
            let mut other = world.account(&format!("Owner {round}")).await;
            world.house().try_admit(&kept.caller(), &mut other, Builtin::Owner).await.unwrap();
            let (one, two) = (kept.caller(), other.caller());
            let outcomes: [Result<(), Error>; 2] = match round {
                0 => {
                    let demote = |id| to(id, admin, None);
                    let (a, b) = tokio::join!(
                        members::change_role(&apps[0], &one, org, demote(kept.id())),
                        members::change_role(&apps[1], &two, org, demote(other.id())),
                    );
                    [a.map(drop), b.map(drop)]
                }
                1 => {
                    let (a, b) = tokio::join!(
                        members::suspend(&apps[0], &one, org, kept.id(), None),
                        members::remove(&apps[1], &two, org, other.id(), None),
                    );
                    [a.map(drop), b.map(drop)]
                }
                _ => {
                    let demote = |id| to(id, admin, None);
                    let (a, b) = tokio::join!(
                        members::change_role(&apps[0], &one, org, demote(other.id())),
                        members::change_role(&apps[1], &two, org, demote(kept.id())),
                    );
                    [a.map(drop), b.map(drop)]
                }
            };
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
            let refused = outcomes.iter().position(Result::is_err).unwrap();
            match (round, outcomes.into_iter().find_map(Result::err).unwrap()) {
                (0 | 1, Error::Rule(text)) => assert!(text.contains("last owner")),
                // Whoever comes second is no owner any more, and the other is one.
                (2, Error::Refused(refused)) => assert_eq!(refused.reason.word(), "target_above_you"),
                (_, other) => panic!("{other:?}"),
            }
            // Who went by themselves is gone; who was sent away by the other is.
            let stays = if round == 2 { 1 - refused } else { refused };
            kept = [kept, other][stays].clone();
            let row = members::read(world.app(), &kept.caller(), org, kept.id()).await.unwrap().member.record;
            assert_eq!((row.role, row.state), (world.role(Builtin::Owner), MemberState::Active));
        }
    }

    async fn whoever_saw_an_older_row_is_told_the_version_now(world: World) {
        let (app, org, by, member) = (world.app(), world.org(), world.owner().caller(), world.member().id());
        let (_, seen) = row(&world, member).await;
        let now = members::change_role(app, &by, org, to(member, world.role(Builtin::Viewer), Some(seen))).await.unwrap().version;
        let before = (world.tables(org).await, world.trail(org).await.len(), world.attempts(org).await);
        for stale in [Some(seen), Some(0), Some(now + 1)] {
            let role = world.role(Builtin::Admin);
            assert_eq!(conflict(members::change_role(app, &by, org, to(member, role, stale)).await), now);
            assert_eq!(conflict(members::suspend(app, &by, org, member, stale).await), now);
            assert_eq!(conflict(members::reinstate(app, &by, org, member, stale).await), now);
            assert_eq!(conflict(members::remove(app, &by, org, member, stale).await), now);
        }
        assert_eq!((world.tables(org).await, world.trail(org).await.len(), world.attempts(org).await), before);
        assert_eq!(row(&world, member).await.1, now);
        let same = members::change_role(app, &by, org, to(member, world.role(Builtin::Viewer), Some(now))).await.unwrap();
        assert_eq!(same.version, now, "no change is no entry");
    }

    // proves RQ-044, RQ-076
    async fn who_is_suspended_or_removed_may_do_nothing_from_then_on(world: World) {
        let (app, org, by) = (world.app(), world.org(), world.owner().caller());
        let (admin, key) = (world.admin(), world.key_of(world.admin(), Key::all_levels()).await);
        let try_both = async || {
            let list = [members::list(app, &admin.caller(), org, everyone()).await, members::list(app, &key.caller(), org, everyone()).await];
            list.map(|outcome| Answer::of(&outcome))
        };
        assert_eq!(try_both().await, [Done; 2]);
        members::suspend(app, &by, org, admin.id(), None).await.unwrap();
        assert_eq!(try_both().await, [No("member_suspended"); 2]);
        members::reinstate(app, &by, org, admin.id(), None).await.unwrap();
        members::change_role(app, &by, org, to(admin.id(), world.role(Builtin::Viewer), None)).await.unwrap();
        assert_eq!(try_both().await, [Done; 2]);
        let invites = invites::list(app, &admin.caller(), org).await;
        assert_eq!(Answer::of(&invites), No("permission_missing"), "the next request has the new role");
        members::remove(app, &by, org, admin.id(), None).await.unwrap();
        assert_eq!(try_both().await, [NotFound; 2]);
        let entry = Entry::from_bytes(&world.trail(org).await.last().unwrap().bytes).unwrap();
        assert_eq!(entry.action, "member.remove");
        world.house().admit(&mut admin.clone(), Builtin::Viewer).await;
        assert_eq!(try_both().await, [Done, NotFound], "who comes back has none of their old keys");
    }
}
