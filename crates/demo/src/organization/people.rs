//! Who is in the example organization.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use gatewarden_access::Caller;
use gatewarden_control::{
    App, Error,
    invites::{self, AcceptNew, InviteMember},
    roles,
    sessions::Browser,
};
use gatewarden_types::{Actor, Builtin, Id, Member, Role, Via};

use super::{Owner, word};

/// The owner's name and address.
pub const OWNER: (&str, &str) = ("Ada Lindqvist", "ada@northwind.example");
/// Everyone's password.
pub const PASSWORD: &str = "open the demo door";

const PEOPLE: [(&str, &str, Builtin); 9] = [
    ("Bruno Okafor", "bruno@northwind.example", Builtin::Owner),
    ("Chioma Reyes", "chioma@northwind.example", Builtin::Admin),
    ("Dmitri Halvorsen", "dmitri@northwind.example", Builtin::Admin),
    ("Elif Tanaka", "elif@northwind.example", Builtin::Member),
    ("Farid Costa", "farid@northwind.example", Builtin::Member),
    ("Greta Nwosu", "greta@northwind.example", Builtin::Member),
    ("Hugo Petrov", "hugo@northwind.example", Builtin::Member),
    ("Ines Moreau", "ines@northwind.example", Builtin::Viewer),
    ("Jonas Weber", "jonas@northwind.example", Builtin::Viewer),
];

/// Somebody of the example.
pub struct Someone {
    pub caller: Caller,
    pub member: Id<Member>,
    pub role: Builtin,
}

/// The built-in roles' ids.
pub async fn roles(app: &App, owner: &Owner) -> Result<BTreeMap<Builtin, Id<Role>>, Error> {
    let roles = roles::list(app, &owner.caller, owner.organization).await?;
    Ok(roles.into_iter().filter_map(|row| Some((row.record.builtin?, row.record.id))).collect())
}

/// Invites everyone, who all accept; one more invite stays open.
pub async fn join(app: &App, owner: &Owner, roles: &BTreeMap<Builtin, Id<Role>>) -> Result<Vec<Someone>, Error> {
    let mut joined = Vec::new();
    for (name, email, role) in PEOPLE {
        joined.push(accept(app, owner, (name, email), role, roles).await?);
    }
    invite(app, owner, "kaia@northwind.example", Builtin::Member, roles).await?;
    Ok(joined)
}

async fn accept(
    app: &App,
    owner: &Owner,
    (name, email): (&str, &str),
    role: Builtin,
    roles: &BTreeMap<Builtin, Id<Role>>,
) -> Result<Someone, Error> {
    let token = invite(app, owner, email, role, roles).await?;
    let browser = Browser { device: "gatewarden demo".to_owned(), network: IpAddr::V4(Ipv4Addr::LOCALHOST) };
    let command = AcceptNew { token, name: word(name)?, password: word(PASSWORD)?, browser };
    let (accepted, signed_in) = invites::accept_new(app, app.id(), command).await?;
    let caller =
        Caller { actor: Actor::Account(signed_in.account), via: Via::Session(signed_in.session), request: app.id() };
    Ok(Someone { caller, member: accepted.member.value.id, role })
}

/// Invites an address and answers the last part of the link.
async fn invite(
    app: &App,
    owner: &Owner,
    email: &str,
    role: Builtin,
    roles: &BTreeMap<Builtin, Id<Role>>,
) -> Result<String, Error> {
    let role = *roles.get(&role).ok_or(Error::Rule("A built-in role is missing."))?;
    let command = InviteMember { email: word(email)?, role, once: None };
    let sent = invites::create(app, &owner.caller, owner.organization, command).await?;
    let link = sent.link.ok_or(Error::Rule("The demo sends no mail, and needs the invites' links."))?;
    Ok(link.expose().rsplit('/').next().unwrap_or_default().to_owned())
}
