//! The page of members, as people with browsers use it.

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
    test::TestRequest,
};
use gatewarden_control::{account, members};
use gatewarden_testkit::{Someone, World, on_both};
use gatewarden_types::{Builtin, Id, Member, MemberState};

use crate::{
    harness::{Reply, door, site},
    records_browser::{Tab, form},
};

/// The row of someone.
fn row(page: &Reply, id: Id<Member>) -> String {
    let begin = format!("<tr id=\"member-{id}\">");
    let row = page.between(&begin, "</tr>").unwrap_or_else(|| panic!("no row of {id}: {}", page.body));
    row.to_owned()
}

/// The role that the row's drop-down shows.
fn chosen(row: &str) -> Option<&str> {
    let (before, _) = row.split_once(" selected")?;
    before.rsplit_once("value=\"")?.1.strip_suffix('"')
}

/// The version that the forms of a row carry.
fn version(row: &str) -> String {
    let (_, value) = row.split_once("name=\"version\" value=\"").expect("a form");
    value.split('"').next().unwrap_or_default().to_owned()
}

/// The fields of the toast's Undo, and where it posts to.
fn undo(page: &Reply) -> (String, Vec<(String, String)>) {
    let toast = page.between("class=\"toast", "Undo</button>").expect("a toast that offers Undo");
    let action = toast.split_once("action=\"").and_then(|(_, rest)| rest.split_once('"')).expect("a form").0;
    let inputs = toast.split("<input type=\"hidden\" name=\"").skip(1);
    let fields = inputs.map(|input| {
        let (name, rest) = input.split_once("\" value=\"").expect("a value");
        (name.to_owned(), rest.split('"').next().unwrap_or_default().to_owned())
    });
    (action.to_owned(), fields.collect())
}

/// The ids of the rows, in order.
fn ids(page: &Reply) -> Vec<String> {
    let rows = page.body.split("<tr id=\"member-").skip(1);
    rows.map(|row| row.split('"').next().unwrap_or_default().to_owned()).collect()
}

fn path(id: Id<Member>, act: &str) -> String {
    format!("/o/here/members/{id}/{act}")
}

async fn held(world: &World, id: Id<Member>) -> (Builtin, MemberState) {
    let read = members::read(world.app(), &world.owner().caller(), world.org(), id).await.unwrap();
    (read.role.unwrap().builtin.unwrap(), read.member.record.state)
}

/// Someone with a name that others have too.
async fn namesake(world: &World, at: usize, name: &str) -> Id<Member> {
    let mut someone = world.account(&format!("{name} {at:02}")).await;
    account::rename(world.app(), &someone.caller(), name.parse().unwrap()).await.unwrap();
    world.house().admit(&mut someone, Builtin::Member).await;
    someone.id()
}

/// Sends a form as htmx does.
async fn swap<S, B>(tab: &mut Tab<'_, S>, path: &str, fields: &[(&str, &str)]) -> Reply
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let request: TestRequest = form(path, &tab.csrf.clone(), fields);
    tab.send(request.insert_header(("hx-request", "true"))).await
}

on_both! {
    // proves RL-042, PK-018
    async fn a_role_is_changed_in_its_row_and_undo_gives_it_back(world: World) {
        let door = door(&site(&world)).await;
        let mut tab = Tab::signed_in(&door, world.owner()).await;
        let max = world.member().id();
        let (member, viewer) = (world.role(Builtin::Member).to_string(), world.role(Builtin::Viewer).to_string());
        let before = row(&tab.get("/o/here/members").await, max);
        assert_eq!(chosen(&before), Some(member.as_str()));
        let fields = [("role", viewer.as_str()), ("version", &version(&before))];
        let answer = swap(&mut tab, &path(max, "role"), &fields).await;
        assert!(answer.code() == 200 && answer.says("Max Member is now Viewer.") && !answer.says("<html"));
        assert_eq!(chosen(&row(&answer, max)), Some(viewer.as_str()));
        assert_eq!(held(&world, max).await.0, Builtin::Viewer);

        let (action, kept) = undo(&answer);
        let kept: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let undone = tab.send(form(&action, "", &kept[1..]).insert_header(("hx-request", "true"))).await;
        assert_eq!(undone.code(), 403, "it takes the form's own token");
        let undone = swap(&mut tab, &action, &kept[1..]).await;
        assert!(undone.code() == 200 && undone.says("Max Member is now Member."), "{}", undone.body);
        assert_eq!((chosen(&row(&undone, max)), held(&world, max).await.0), (Some(member.as_str()), Builtin::Member));
        let twice = swap(&mut tab, &action, &kept[1..]).await;
        assert_eq!(twice.code(), 409, "an old Undo undoes nothing newer");
        assert_eq!(held(&world, max).await.0, Builtin::Member);
    }

    async fn all_of_it_works_without_scripts(world: World) {
        let door = door(&site(&world)).await;
        let mut tab = Tab::signed_in(&door, world.owner()).await;
        let (max, viewer) = (world.member().id(), world.role(Builtin::Viewer).to_string());
        let at = version(&row(&tab.get("/o/here/members").await, max));
        let sent = tab.post(&path(max, "role"), &[("role", &viewer), ("version", &at)]).await;
        assert_eq!((sent.code(), sent.location()), (303, "/o/here/members"));
        let page = tab.get("/o/here/members").await;
        assert!(page.says("Max Member is now Viewer."));
        let (action, kept) = undo(&page);
        let kept: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(tab.post(&action, &kept[1..]).await.code(), 303);
        assert_eq!(held(&world, max).await.0, Builtin::Member);
        for (act, done, state) in [
            ("suspend", "The member is suspended", Some(MemberState::Suspended)),
            ("reinstate", "The member is active again", Some(MemberState::Active)),
            ("remove", "The member is removed", None),
        ] {
            let at = version(&row(&tab.get("/o/here/members").await, max));
            assert_eq!(tab.post(&path(max, act), &[("version", &at)]).await.location(), "/o/here/members");
            let page = tab.get("/o/here/members").await;
            assert!(page.says(done), "{act}");
            match state {
                Some(state) => assert_eq!(held(&world, max).await.1, state),
                None => assert!(!ids(&page).contains(&max.to_string())),
            }
        }
        assert_eq!(Tab::signed_in(&door, world.member()).await.get("/o/here/members").await.code(), 404);
    }

    async fn a_conflict_shows_who_they_are_now(world: World) {
        let door = door(&site(&world)).await;
        let mut tab = Tab::signed_in(&door, world.admin()).await;
        let max = world.member().id();
        let old = version(&row(&tab.get("/o/here/members").await, max));
        let (viewer, admin) = (world.role(Builtin::Viewer), world.role(Builtin::Admin).to_string());
        let other = members::ChangeMemberRole { member: max, role: viewer, seen: None };
        let now = members::change_role(world.app(), &world.owner().caller(), world.org(), other).await.unwrap().version;
        let before = (world.tables(world.org()).await, world.trail(world.org()).await.len());
        for (act, fields) in [
            ("role", vec![("role", admin.as_str()), ("version", &old)]),
            ("suspend", vec![("version", &old)]),
            ("reinstate", vec![("version", &old)]),
            ("remove", vec![("version", &old)]),
        ] {
            let part = swap(&mut tab, &path(max, act), &fields).await;
            assert!(part.code() == 409 && part.says("Someone changed this in the meantime"), "{act}: {}", part.body);
            let shown = row(&part, max);
            assert_eq!((chosen(&shown), version(&shown)), (Some(viewer.to_string().as_str()), now.to_string()), "{act}");
            assert!(part.header("hx-reswap").is_empty(), "the row is put in its place");
            let page = tab.post(&path(max, act), &fields).await;
            assert!(page.code() == 409 && page.says("Someone changed this in the meantime"), "{act}");
            assert_eq!((chosen(&row(&page, max)), ids(&page).len()), (Some(viewer.to_string().as_str()), 1), "{act}");
        }
        assert_eq!((world.tables(world.org()).await, world.trail(world.org()).await.len()), before);
        let again = swap(&mut tab, &path(max, "role"), &[("role", &admin), ("version", &now.to_string())]).await;
        assert_eq!(again.code(), 200, "what the row now carries will do");
    }

    async fn the_last_owner_and_those_above_are_told_in_words(world: World) {
        let door = door(&site(&world)).await;
        let (olive, max) = (world.owner().id(), world.member().id());
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let page = owner.get("/o/here/members").await;
        let own = row(&page, olive);
        assert!(own.contains("the last owner stays") && own.contains("(you)") && !own.contains("<form"), "{own}");
        let (admin, owners) = (world.role(Builtin::Admin).to_string(), world.role(Builtin::Owner).to_string());
        for (act, fields) in [
            ("role", vec![("role", admin.as_str()), ("version", "")]),
            ("suspend", vec![("version", "")]),
            ("remove", vec![("version", "")]),
        ] {
            let refused = swap(&mut owner, &path(olive, act), &fields).await;
            assert!(refused.code() == 409 && refused.says("This is the last owner. Make someone else an owner first."), "{act}");
            assert!(row(&refused, olive).contains("the last owner stays"), "{act}");
            assert_eq!(held(&world, olive).await, (Builtin::Owner, MemberState::Active), "{act}");
        }
        world.house().join("Otto Owner", Builtin::Owner).await;
        let mut tab = Tab::signed_in(&door, world.admin()).await;
        let page = tab.get("/o/here/members").await;
        let above = row(&page, olive);
        assert!(above.contains("above you") && !above.contains("<form"), "{above}");
        let below = row(&page, max);
        assert!(below.contains(&admin) && !below.contains(&owners), "what one does not hold is not offered");
        let refused = swap(&mut tab, &path(olive, "suspend"), &[("version", "")]).await;
        assert!(refused.code() == 403 && refused.says("They hold roles:escalate, which you do not."), "{}", refused.body);
        let refused = tab.post(&path(max, "role"), &[("role", &owners), ("version", "")]).await;
        assert!(refused.code() == 403 && refused.says("This would give roles:escalate, which you do not hold."));
        let gone = swap(&mut tab, &path(max, "role"), &[("role", "owner"), ("version", "")]).await;
        assert_eq!(gone.code(), 404);
    }

    // proves RQ-045
    async fn controls_are_drawn_for_those_who_may_use_them(world: World) {
        let door = door(&site(&world)).await;
        for (someone, controls) in [(world.owner(), true), (world.admin(), true), (world.viewer(), false), (world.member(), false)] {
            let page = Tab::signed_in(&door, someone).await.get("/o/here/members").await;
            assert_eq!(page.says("/role\""), controls, "{}", someone.person.name);
            assert_eq!(page.says("Suspend…"), controls, "{}", someone.person.name);
            assert_eq!(page.says("href=\"/o/here/invites/new\""), controls, "{}", someone.person.name);
            assert_eq!(ids(&page).len(), if someone.account == world.member().account { 1 } else { 5 });
        }
    }

    async fn who_suspends_themselves_is_told_that_it_is_done(world: World) {
        let door = door(&site(&world)).await;
        let otto = world.house().join("Otto Owner", Builtin::Owner).await;
        let mut tab = Tab::signed_in(&door, &otto).await;
        tab.get("/o/here/members").await;
        let done = swap(&mut tab, &path(otto.id(), "suspend"), &[("version", "")]).await;
        assert!(done.code() == 200 && done.says("The member is suspended"), "{}", done.body);
        assert_eq!(held(&world, otto.id()).await.1, MemberState::Suspended);
    }

    // proves RL-041, KT-006
    async fn the_list_is_searched_filtered_and_sorted(world: World) {
        let door = door(&site(&world)).await;
        let mut tab = Tab::signed_in(&door, world.viewer()).await;
        let of = |people: &[&Someone]| people.iter().map(|someone| someone.id().to_string()).collect::<Vec<_>>();
        let (olive, ada, max, vera, sue) = (world.owner(), world.admin(), world.member(), world.viewer(), world.suspended());
        let admin = world.role(Builtin::Admin);
        for (query, found) in [
            (String::new(), vec![ada, max, olive, sue, vera]),
            ("q=ADA".to_owned(), vec![ada]),
            ("q=+max.member%40example".to_owned(), vec![max]),
            ("q=E+O".to_owned(), vec![olive]),
            ("q=%25".to_owned(), vec![]),
            ("q=_".to_owned(), vec![]),
            ("q=%27+OR+1%3D1+--".to_owned(), vec![]),
            (format!("role={admin}"), vec![ada, sue]),
            (format!("role={admin}&status=active"), vec![ada]),
            ("status=suspended".to_owned(), vec![sue]),
            (format!("role={admin}&status=suspended&q=olive"), vec![]),
            ("sort=name".to_owned(), vec![ada, max, olive, sue, vera]),
            ("sort=-name".to_owned(), vec![vera, sue, olive, max, ada]),
            ("sort=email".to_owned(), vec![ada, max, olive, sue, vera]),
            ("sort=-email&status=active".to_owned(), vec![vera, olive, max, ada]),
            ("sort=joined".to_owned(), vec![olive, ada, max, vera, sue]),
            ("sort=-joined".to_owned(), vec![sue, vera, max, ada, olive]),
        ] {
            let page = tab.get(&format!("/o/here/members?{query}")).await;
            assert_eq!((page.code(), ids(&page)), (200, of(&found)), "{query}");
            let total = if found.len() == 1 { "1 person<".to_owned() } else { format!("{} people<", found.len()) };
            assert!(page.says(&total) && page.says("No one matches") == found.is_empty(), "{query}");
            let part = tab.part(&format!("/o/here/members?{query}")).await;
            assert!(part.says("id=\"list\"") && !part.says("<html") && ids(&part) == of(&found), "{query}");
        }
        for query in ["role=owner", "after=1", "before=mem_1:x", "after=:"] {
            assert_eq!(tab.get(&format!("/o/here/members?{query}")).await.code(), 400, "{query}");
        }
    }

    async fn pages_meet_without_a_gap_or_an_overlap_where_names_are_equal(world: World) {
        let door = door(&site(&world)).await;
        let mut same = Vec::new();
        for at in 0..98 {
            same.push(namesake(&world, at, "Sam Same").await.to_string());
        }
        let mut tab = Tab::signed_in(&door, world.owner()).await;
        for (sort, expected) in [("name", same.clone()), ("-name", same.iter().rev().cloned().collect())] {
            let mut pages = Vec::new();
            let mut path = format!("/o/here/members?sort={sort}");
            loop {
                let page = tab.get(&path).await;
                assert!(page.says("103 people<"), "{sort}");
                pages.push(ids(&page));
                let Some(next) = link(&page, "next") else { break };
                path = next;
            }
            assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 3], "{sort}");
            let sams: Vec<String> = pages.concat().into_iter().filter(|id| same.contains(id)).collect();
            assert_eq!(sams, expected, "{sort}: each once, in the order of their ids");
            let mut back = vec![pages[2].clone()];
            while let Some(previous) = link(&tab.get(&path).await, "prev") {
                back.insert(0, ids(&tab.get(&previous).await));
                path = previous;
            }
            assert_eq!(back, pages, "{sort}: the way back is the same");
        }
        let narrowed = tab.get("/o/here/members?q=same+0&sort=-name").await;
        assert!(link(&narrowed, "next").is_none() && narrowed.says("No one matches"), "a name is sought as it is now");
    }
}

/// Where a link of the paging leads.
fn link(page: &Reply, rel: &str) -> Option<String> {
    let (before, after) = page.body.split_once(&format!("rel=\"{rel}\""))?;
    let tag = format!("{}{}", before.rsplit_once('<')?.1, after.split_once('>')?.0);
    Some(tag.split_once("href=\"")?.1.split_once('"')?.0.replace("&#38;", "&").replace("&amp;", "&"))
}
