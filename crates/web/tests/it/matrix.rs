//! Every route × method × actor × {own, foreign, absent, malformed}: what the table of routes says, and nothing else.

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::{Method, StatusCode},
};
use gatewarden_access::{ActionInfo, AuditClass, Facts, Standing};
use gatewarden_testkit::{Beneath, World, on_both};
use gatewarden_types::{Id, Organization, Reach};
use gatewarden_web::{Route, Scope, Site, routes};

use crate::{
    cast::{Cast, Who},
    harness::{Asker, Door, Reply, door, site},
    things::{Things, Which, body, is_file, param},
};

/// What an answer comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    SignIn,
    Unauthenticated,
    NotFound,
    Forbidden,
    Conflict,
    Done,
}

impl Outcome {
    fn of(reply: &Reply) -> Result<Self, String> {
        match reply.status {
            StatusCode::SEE_OTHER if reply.header("location").starts_with("/sign-in?") => Ok(Self::SignIn),
            StatusCode::UNAUTHORIZED => Ok(Self::Unauthenticated),
            StatusCode::NOT_FOUND => Ok(Self::NotFound),
            StatusCode::FORBIDDEN => Ok(Self::Forbidden),
            StatusCode::CONFLICT => Ok(Self::Conflict),
            status if status.is_success() || status == StatusCode::SEE_OTHER => Ok(Self::Done),
            other => Err(format!("{other}: {}", reply.body.chars().take(300).collect::<String>())),
        }
    }
}

/// What the row says of an actor and a thing, worked out from the row alone.
fn expected(route: &Route, who: Who, facts: &Facts, which: Which) -> Outcome {
    let Some(action) = route.action else { return Outcome::Done };
    match (route.scope, who) {
        (Scope::Key, who) if !who.has_key() => Outcome::Unauthenticated,
        (Scope::Organization | Scope::Account, who) if !who.has_browser() => {
            if route.method == Method::GET {
                Outcome::SignIn
            } else {
                Outcome::Unauthenticated
            }
        }
        (Scope::Account, _) if which == Which::Own => Outcome::Done,
        (Scope::Account, _) | (Scope::Organization, Who::Stranger) => Outcome::NotFound,
        // The role that an invite gives is one of the other organization's too.
        (_, Who::StrangersKey) if param(route.path).is_some() || action.name == "invite.create" => Outcome::NotFound,
        (_, Who::StrangersKey) => Outcome::Done,
        _ if which != Which::Own => Outcome::NotFound,
        // An invite is a member's, who is asked again for what it gives.
        (_, Who::MasterKey) if action.name == "invite.create" => Outcome::Conflict,
        _ => in_organization(action, facts, param(route.path)),
    }
}

fn in_organization(action: &ActionInfo, facts: &Facts, param: Option<&str>) -> Outcome {
    // The things are nobody's, or belong to someone else than whoever asks.
    let owned = matches!(param, Some("member" | "key"));
    let visible = match facts.powers().reach(action.sees) {
        Some(Reach::All) => true,
        Some(Reach::Own) => !owned,
        None => false,
    };
    let allowed = match facts.allows(action) {
        Some(Reach::All) => true,
        Some(Reach::Own) => !owned,
        None => false,
    };
    match (allowed && facts.standing() == Standing::Good, visible) {
        (true, _) => Outcome::Done,
        (false, true) => Outcome::Forbidden,
        (false, false) => Outcome::NotFound,
    }
}

/// Whether a refusal reached the use case, and so leaves an attempt.
fn leaves_an_attempt(route: &Route, who: Who, which: Which, outcome: Outcome) -> bool {
    // A page with a form for a change changes nothing yet, so its refusal is one of a read.
    let reads = route.method == Method::GET && route.audit() != Some(AuditClass::SensitiveRead);
    let refused = !reads && matches!(outcome, Outcome::Forbidden | Outcome::NotFound);
    let inside = match route.scope {
        Scope::Organization => who.is_inside() && who.has_browser(),
        Scope::Key => who.is_inside() && who.has_key(),
        _ => false,
    };
    refused && inside && which != Which::Malformed && route.action.is_some_and(|action| action.audit.keeps_attempts())
}

on_both! {
    // proves RQ-038, RL-008, RL-045, LL-003, LL-009, LL-012, LL-088, LL-089
    async fn every_route_of_the_api_answers_each_actor_as_its_row_says(world: World) {
        walk(&world, |route| route.scope == Scope::Key).await;
    }

    // proves RQ-038, RL-008, RL-045, LL-003, LL-009, LL-012, LL-088, LL-089
    async fn every_page_answers_each_actor_as_its_row_says(world: World) {
        walk(&world, |route| route.scope != Scope::Key && route.method == Method::GET).await;
    }

    // proves RQ-038, RL-008, RL-045, LL-003, LL-009, LL-012, LL-088, LL-089
    async fn every_form_answers_each_actor_as_its_row_says(world: World) {
        walk(&world, |route| route.scope != Scope::Key && route.method != Method::GET).await;
    }

    // proves RQ-041, PK-002, LL-008, LL-102
    async fn another_organization_and_none_are_alike(world: World) {
        let site = site(&world);
        let door = door(&site).await;
        let cast = Cast::gather(&world).await;
        let things = Things::make(&world).await;
        let before = (state(&world).await, attempts(&world, world.org()).await, attempts(&world, world.other_org()).await);
        let mut wrong = Vec::new();
        for route in routes().iter().filter(|route| route.scope == Scope::Organization) {
            for (who, asker) in cast.everybody().filter(|(who, _)| who.has_browser() && *who != Who::Stranger) {
                let mut told = Vec::new();
                for slug in [world.other_house().slug.as_str(), "nowhere", "No!Slug"] {
                    let path = things.path(&world, route.path, Which::Own).replacen("/o/here", &format!("/o/{slug}"), 1);
                    let asked = world.app().store.statements();
                    let sent = body(&world, &site, &things, route, &asker);
                    let reply = door.ask(&asker, route.method.clone(), &path, sent).await;
                    judge(route, who, Which::Foreign, Outcome::NotFound, &reply, &mut wrong);
                    let work = world.app().store.statements() - asked;
                    told.push(format!("{work} {}", things.without_ids(&reply).replace(&format!("o/{slug}"), "…")));
                }
                if told.first() != told.get(1) {
                    wrong.push(format!("{route:?} by {who:?}: {told:?}"));
                }
            }
        }
        let after = (state(&world).await, attempts(&world, world.org()).await, attempts(&world, world.other_org()).await);
        assert!(before == after, "nothing is changed or noted");
        assert!(wrong.is_empty(), "{} unexpected answers:\n{}", wrong.len(), wrong.join("\n"));
    }

    async fn no_route_takes_a_method_that_it_does_not_declare(world: World) {
        let site = site(&world);
        let door = door(&site).await;
        let cast = Cast::gather(&world).await;
        let table = routes();
        let things = Things::make(&world).await;
        for route in table.iter().filter(|route| !is_file(route.path)) {
            let path = things.path(&world, route.path, Which::Own);
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                if table.iter().any(|other| other.path == route.path && other.method == method) {
                    continue;
                }
                let asker = if matches!(route.scope, Scope::Key) { &cast.owners_key } else { &cast.owner };
                let reply = door.ask(asker, method.clone(), &path, None).await;
                assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            }
        }
    }
}

/// Every row that is `wanted`, but for what is open to anyone.
async fn walk(world: &World, wanted: impl Fn(&Route) -> bool) {
    let site = site(world);
    let door = door(&site).await;
    let (mut wrong, mut walked) = (Vec::new(), 0);
    let mut cast = Cast::gather(world).await;
    for route in routes().iter().filter(|route| !matches!(route.scope, Scope::Open(_)) && !is_file(route.path)) {
        // A session is its account's alone and not an organization's: `records_account` asks for others'.
        if param(route.path) == Some("session") || !wanted(route) {
            continue;
        }
        Walk { world, site: &site, door: &door, cast: &cast, route }.take(&mut wrong).await;
        walked += 1;
        if route.scope == Scope::Account {
            // It may have signed everybody out.
            cast = Cast::gather(world).await;
        }
    }
    assert!(walked > 10 && world.app().store.statements() > 0, "{walked} rows; the work is counted");
    assert!(wrong.is_empty(), "{} unexpected answers (seed {}):\n{}", wrong.len(), world.seed(), wrong.join("\n"));
}

/// One row, by everybody, on everything.
struct Walk<'a, S> {
    world: &'a World,
    site: &'a Site,
    door: &'a Door<S>,
    cast: &'a Cast,
    route: &'a Route,
}

impl<S, B> Walk<'_, S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    /// What is refused leaves all tables and trails as they are, but for the attempts that the row declares.
    async fn take(&self, wrong: &mut Vec<String>) {
        let (world, route) = (self.world, self.route);
        let things = Things::make(world).await;
        let before = (state(world).await, attempts(world, world.org()).await);
        let there = attempts(world, world.other_org()).await.len();
        let (made, allowed) = self.refusals(&things, wrong).await;
        let after = (state(world).await, attempts(world, world.org()).await);
        if before.0 != after.0 {
            wrong.push(format!("{route:?}: refusals changed something"));
        }
        let noted = after.1.get(before.1.len()..).unwrap_or_default();
        if noted.len() != made || noted.iter().any(|action| !self.declares(action)) {
            wrong.push(format!("{route:?}: {noted:?} were noted as attempts, {made} were made"));
        }
        // Who has a key of another organization tries it there.
        if attempts(world, world.other_org()).await.iter().skip(there).any(|action| !self.declares(action)) {
            wrong.push(format!("{route:?}: other attempts were noted in the other organization"));
        }
        let beneath = world.beneath(world.org()).await;
        for (who, asker, which) in allowed {
            let things = Things::make(world).await;
            let before = entries(&beneath).await.len();
            let reply = self.send(&things, &asker, which).await;
            judge(route, who, which, Outcome::Done, &reply, wrong);
            let entered = entries(&beneath).await.split_off(before);
            if entered.iter().any(|action| !self.declares(action)) {
                wrong.push(format!("{route:?} by {who:?} entered {entered:?} in the trail"));
            }
        }
    }

    /// Whether the row names this action.
    fn declares(&self, action: &str) -> bool {
        self.route.action.is_some_and(|declared| declared.name == action)
    }

    /// Asks all that must be refused; how many attempts that leaves, and what is to be allowed.
    async fn refusals(&self, things: &Things, wrong: &mut Vec<String>) -> (usize, Vec<(Who, Asker, Which)>) {
        let route = self.route;
        let (mut attempts, mut allowed) = (0, Vec::new());
        for (who, asker) in self.cast.everybody() {
            let facts = self.cast.facts(self.world, who).await;
            let mut unseen = Vec::new();
            for which in Which::ALL {
                // What is foreign to everybody else is the stranger's own.
                let strangers = who == Who::StrangersKey && which == Which::Foreign;
                if strangers || which != Which::Own && param(route.path).is_none() {
                    continue;
                }
                let outcome = expected(route, who, &facts, which);
                if outcome == Outcome::Done {
                    allowed.push((who, asker.clone(), which));
                    continue;
                }
                let asked = self.world.app().store.statements();
                let reply = self.send(things, &asker, which).await;
                let work = self.world.app().store.statements() - asked;
                judge(route, who, which, outcome, &reply, wrong);
                attempts += usize::from(leaves_an_attempt(route, who, which, outcome));
                if matches!(which, Which::Foreign | Which::Absent) {
                    unseen.push(format!("{work} statements, {}", things.without_ids(&reply)));
                }
            }
            if let [foreign, absent] = unseen.as_slice()
                && foreign != absent
            {
                wrong.push(format!("{route:?} by {who:?}: foreign and absent differ:\n{foreign}\n{absent}"));
            }
        }
        (attempts, allowed)
    }

    async fn send(&self, things: &Things, asker: &Asker, which: Which) -> Reply {
        let path = things.path(self.world, self.route.path, which);
        let body = body(self.world, self.site, things, self.route, asker);
        self.door.ask(asker, self.route.method.clone(), &path, body).await
    }
}

fn judge(route: &Route, who: Who, which: Which, outcome: Outcome, reply: &Reply, wrong: &mut Vec<String>) {
    match Outcome::of(reply) {
        Ok(got) if got == outcome => {}
        Ok(got) => wrong.push(format!("{route:?} by {who:?} on {which:?}: {got:?} instead of {outcome:?}")),
        Err(odd) => wrong.push(format!("{route:?} by {who:?} on {which:?}: {odd}")),
    }
}

/// Everything that a refusal must leave as it is: both organizations and the accounts. When a browser was last seen is
/// all that it may change.
async fn state(world: &World) -> impl PartialEq + use<> {
    let (here, there) = (world.org(), world.other_org());
    let tables = (world.tables(here).await, world.tables(there).await);
    let mut control = world.control_tables().await;
    control.remove("sessions");
    (tables, world.trail_tables(here).await, world.trail_tables(there).await, control)
}

/// The action of each attempt that was noted, oldest first.
async fn attempts(world: &World, organization: Id<Organization>) -> Vec<String> {
    world.beneath_observed(organization).await.texts("SELECT action FROM attempts ORDER BY id").await
}

/// The action of each entry, oldest first.
async fn entries(beneath: &Beneath) -> Vec<String> {
    beneath.texts("SELECT action FROM entries ORDER BY seq").await
}

#[test]
fn the_description_of_the_api_names_its_routes_and_no_others() {
    let table = routes();
    let described = gatewarden_web::describe(&table);
    let paths = described["paths"].as_object().unwrap();
    let mut named: Vec<String> = paths
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}")))
        .collect();
    let in_api = |route: &&Route| route.path.starts_with("/api/v1/") && !matches!(route.scope, Scope::Open(_));
    let mut there: Vec<String> = table
        .iter()
        .filter(in_api)
        .map(|route| {
            format!("{} {}", route.method, route.path).replacen(
                route.method.as_str(),
                &route.method.as_str().to_lowercase(),
                1,
            )
        })
        .collect();
    named.sort();
    there.sort();
    assert_eq!(named, there);
}
