//! The things that paths name, in one's own organization and in another, and what is sent to change them.

use gatewarden_control::{
    gateways::{self, AddGateway},
    invites::{self, InviteMember},
    keys::{self, CreateKey},
    models::{self, ApproveModel},
    providers::{self, AddProvider},
};
use gatewarden_testkit::{House, PASSWORD, World};
use gatewarden_types::{Builtin, Dialect, Key};
use gatewarden_web::{Route, Scope, Site};

use crate::harness::{Asker, Reply, form_token};

/// Which thing a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Own,
    Foreign,
    Absent,
    Malformed,
}

impl Which {
    pub const ALL: [Self; 4] = [Self::Own, Self::Foreign, Self::Absent, Self::Malformed];
}

/// The name that a path gives to its thing, if it names one in an organization. A position in a trail names nothing: each
/// trail has a first entry.
pub fn param(path: &str) -> Option<&str> {
    let mut names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.rfind(|name| !matches!(*name, "organization" | "seq"))
}

/// Whether a path serves files, which are the same for everyone.
pub fn is_file(path: &str) -> bool {
    path.starts_with("/static/")
}

/// Things of both organizations, fresh, so that a test that changes one leaves the others.
pub struct Things {
    here: Set,
    there: Set,
}

struct Set {
    member: String,
    key: String,
    provider: String,
    model: String,
    invite: String,
    session: String,
    gateway: String,
}

impl Things {
    pub async fn make(world: &World) -> Self {
        Self { here: Set::make(world, world.house()).await, there: Set::make(world, world.other_house()).await }
    }

    /// The path with its names filled in.
    pub fn path(&self, world: &World, path: &str, which: Which) -> String {
        let set = if which == Which::Foreign { &self.there } else { &self.here };
        let mut filled = path.replace("{organization}", world.house().slug.as_str()).replace("{seq}", "1");
        for (name, own, absent) in [
            ("member", &set.member, fresh::<gatewarden_types::Member>(world)),
            ("key", &set.key, fresh::<Key>(world)),
            ("provider", &set.provider, fresh::<gatewarden_types::Provider>(world)),
            ("model", &set.model, fresh::<gatewarden_types::Model>(world)),
            ("invite", &set.invite, fresh::<gatewarden_types::Invite>(world)),
            ("gateway", &set.gateway, fresh::<gatewarden_types::Gateway>(world)),
            ("session", &set.session, fresh::<gatewarden_types::Session>(world)),
            ("token", &format!("{}.x", set.invite), fresh::<gatewarden_types::Invite>(world)),
        ] {
            let text = match which {
                Which::Own | Which::Foreign => own.clone(),
                Which::Absent => absent,
                Which::Malformed => "not-an-id".to_owned(),
            };
            filled = filled.replace(&format!("{{{name}}}"), &text);
        }
        assert!(!filled.contains('{'), "{path} names something that this test does not know");
        filled
    }

    /// What a reply says, less what differs in every reply.
    pub fn without_ids(&self, reply: &Reply) -> String {
        let varies = ["x-request-id", "date"];
        let mut headers: Vec<String> = reply
            .headers
            .iter()
            .filter(|(name, _)| !varies.contains(&name.as_str()))
            .map(|(name, value)| words(&format!("{name}: {value:?}").replace("%2F", "/")))
            .collect();
        headers.sort();
        format!("{} {headers:?} {}", reply.status, words(&reply.body))
    }
}

/// A text with a blank in the place of each id.
fn words(text: &str) -> String {
    text.split_inclusive(['"', '<', '>', ' ', '/', '?']).map(blank).collect()
}

/// A word, or a blank in the place of an id or of the token of a form.
fn blank(word: &str) -> String {
    let core = word.trim_matches(['"', '<', '>', ' ', '/', '?']);
    let id = core.len() == 30 && core.get(3..4) == Some("_");
    if id { word.replace(core, "…") } else { word.to_owned() }
}

fn fresh<K: gatewarden_types::Kind>(world: &World) -> String {
    world.app().id::<K>().to_string()
}

impl Set {
    async fn make(world: &World, house: &House) -> Self {
        let (app, owner) = (world.app(), house.owner.caller());
        let unique = fresh::<Key>(world);
        let someone = house.join(&format!("Some One {unique}"), Builtin::Member).await;
        let provider = AddProvider {
            name: format!("Provider {unique}").parse().unwrap(),
            dialect: Dialect::OpenAi,
            base_url: "http://127.0.0.1:9/v1".parse().unwrap(),
            secret: None,
            once: None,
        };
        let provider = providers::add(app, &owner, house.id, provider).await.unwrap();
        let provider = provider.value.id;
        let model = ApproveModel {
            name: format!("model-{unique}").parse().unwrap(),
            provider,
            upstream: "upstream".parse().unwrap(),
            once: None,
        };
        let model = models::approve(app, &owner, house.id, model).await.unwrap();
        let key = CreateKey::usual("A key".parse().unwrap());
        // A member's: whoever may rotate any key may rotate those of people who can do no more than they.
        let key = keys::create(app, &someone.caller(), house.id, key).await.unwrap();
        let email = format!("invited-{}@example.com", unique.to_lowercase()).parse().unwrap();
        let role = house.role(Builtin::Viewer);
        let sent = invites::create(app, &owner, house.id, InviteMember { email, role, once: None }).await.unwrap();
        Self {
            member: someone.id().to_string(),
            key: key.key.value.id.to_string(),
            provider: provider.to_string(),
            model: model.value.id.to_string(),
            invite: sent.invite.value.id.to_string(),
            session: fresh::<gatewarden_types::Session>(world),
            gateway: gateway(world, house).await,
        }
    }
}

/// One that has enrolled.
async fn gateway(world: &World, house: &House) -> String {
    let (app, owner) = (world.app(), house.owner.caller());
    let name = format!("Gateway {}", fresh::<Key>(world)).parse().unwrap();
    let added = gateways::add(app, &owner, house.id, AddGateway { name, once: None }).await.unwrap();
    let token = added.token.unwrap().expose().parse().unwrap();
    gateways::enroll(app, app.id(), &token, gatewarden_types::Digest([7; 32])).await.unwrap();
    added.gateway.value.id.to_string()
}

/// What is sent to a route so that whoever may is done with it.
pub fn body(
    world: &World,
    site: &Site,
    things: &Things,
    route: &Route,
    asker: &Asker,
) -> Option<(&'static str, String)> {
    let from_there = matches!(asker, Asker::Key(text) if *text == world.other_house().master.text);
    let own = if from_there { &things.there } else { &things.here };
    let url = "http://127.0.0.1:9/v1".to_owned();
    let unique = fresh::<Key>(world).to_lowercase().replace('_', "");
    let role = world.role(Builtin::Viewer).to_string();
    let fields: Vec<(&str, String)> = match (route.method.as_str(), route.path) {
        ("GET" | "DELETE", _) => return None,
        (_, path) if path.ends_with("/role") => vec![("role", role), ("version", String::new())],
        ("POST", "/api/v1/invites") => vec![("email", format!("{unique}@example.com")), ("role", role)],
        (_, path) if path.ends_with("/invites") => {
            vec![("addresses", format!("{unique}@example.com")), ("role", role)]
        }
        (_, "/account/password") => {
            vec![("current", PASSWORD.to_owned()), ("password", PASSWORD.to_owned())]
        }
        (_, "/account") => vec![("name", "Renamed".to_owned())],
        (_, "/organizations") => {
            vec![("name", "Another".to_owned()), ("slug", format!("x{unique}"))]
        }
        (_, path) if path.ends_with("/settings") => {
            vec![("name", "Renamed".to_owned()), ("usage", "own".to_owned()), ("version", String::new())]
        }
        (_, "/api/v1/organization") => vec![("name", "Renamed".to_owned())],
        ("PATCH", "/api/v1/members/{member}") => vec![("role", role)],
        ("POST", "/o/{organization}/keys") => {
            vec![("name", unique), ("models", "all".to_owned()), ("expires", "never".to_owned())]
        }
        (_, path) if path.ends_with("/keys") || path.ends_with("/gateways") => vec![("name", unique)],
        (_, path) if path.ends_with("/models") => {
            vec![("name", unique.clone()), ("provider", own.provider.clone()), ("upstream", unique)]
        }
        (_, path) if path.ends_with("/providers") => vec![("name", unique), ("base_url", url)],
        ("POST", "/o/{organization}/providers/{provider}") => {
            vec![("name", unique), ("base_url", url), ("version", String::new())]
        }
        _ => vec![("version", String::new())],
    };
    if route.scope == Scope::Key {
        let object: serde_json::Map<String, serde_json::Value> = fields
            .into_iter()
            .filter(|(name, _)| *name != "version")
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        return Some(("application/json", serde_json::Value::Object(object).to_string()));
    }
    let token = match asker {
        Asker::Browser(browser) => form_token(site, browser),
        _ => String::new(),
    };
    let fields: Vec<(&str, String)> = fields.into_iter().chain([("csrf", token)]).collect();
    Some(("application/x-www-form-urlencoded", serde_urlencoded::to_string(fields).unwrap()))
}
