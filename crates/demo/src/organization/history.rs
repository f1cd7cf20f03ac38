//! What has happened in the example organization.

use std::collections::BTreeSet;

use gatewarden_control::{
    App, Error,
    keys::{self, CreateKey},
    members::{self, ChangeMemberRole},
    models,
};
use gatewarden_types::{Builtin, Id, Key, Model, ModelSet};

use super::{
    Models, Owner,
    people::{self, Someone},
    policy, usage,
    usage::Caller,
    word,
};

/// Lets everyone join and do what people do.
pub async fn make(app: &App, owner: &Owner, runs: &Models) -> Result<(), Error> {
    let roles = people::roles(app, owner).await?;
    let approved = policy::approve(app, owner, runs).await?;
    let everyone = people::join(app, owner, &roles).await?;
    let callers = make_keys(app, owner, &everyone, &approved).await?;
    usage::month(app, owner.organization, &callers, &approved).await?;
    if let Some(slow) = approved.iter().find(|model| model.name.as_str() == "demo-slow") {
        models::withdraw(app, &owner.caller, owner.organization, slow.id, None).await?;
    }
    change_minds(app, owner, &everyone, &roles).await
}

/// Each who may make a key has one; the first developer's reaches one model alone.
async fn make_keys(app: &App, owner: &Owner, everyone: &[Someone], approved: &[Model]) -> Result<Vec<Caller>, Error> {
    let mut callers = Vec::new();
    for someone in everyone.iter().filter(|someone| someone.role != Builtin::Viewer) {
        let (name, models) = match (callers.len(), approved.first()) {
            (0, _) => ("Release notes", ModelSet::All),
            (1, Some(first)) => ("Support assistant", ModelSet::Only(BTreeSet::from([first.id]))),
            (2, _) => ("Nightly evaluation", ModelSet::All),
            _ => ("Notebook", ModelSet::All),
        };
        let key = make_key(app, owner, someone, name, models).await?;
        callers.push(Caller { key, member: someone.member });
    }
    if let (Some(last), Some(someone)) = (callers.last(), everyone.iter().rfind(|one| one.role == Builtin::Member)) {
        keys::rotate(app, &someone.caller, owner.organization, last.key, None).await?;
        let lost = make_key(app, owner, someone, "Laptop (lost)", ModelSet::All).await?;
        keys::revoke(app, &owner.caller, owner.organization, lost, None).await?;
    }
    Ok(callers)
}

async fn make_key(app: &App, owner: &Owner, someone: &Someone, name: &str, models: ModelSet) -> Result<Id<Key>, Error> {
    let command = CreateKey { models, ..CreateKey::usual(word(name)?) };
    Ok(keys::create(app, &someone.caller, owner.organization, command).await?.key.value.id)
}

/// Somebody changes roles and back, somebody is suspended, somebody else only for a while.
async fn change_minds(
    app: &App,
    owner: &Owner,
    everyone: &[Someone],
    roles: &std::collections::BTreeMap<Builtin, Id<gatewarden_types::Role>>,
) -> Result<(), Error> {
    let mut viewers = everyone.iter().filter(|someone| someone.role == Builtin::Viewer);
    if let (Some(viewer), Some(role)) = (viewers.next(), roles.get(&Builtin::Member)) {
        let command = ChangeMemberRole { member: viewer.member, role: *role, seen: None };
        members::change_role(app, &owner.caller, owner.organization, command).await?;
    }
    if let Some(viewer) = viewers.next() {
        members::suspend(app, &owner.caller, owner.organization, viewer.member, None).await?;
    }
    if let Some(developer) = everyone.iter().find(|someone| someone.role == Builtin::Member) {
        members::suspend(app, &owner.caller, owner.organization, developer.member, None).await?;
        members::reinstate(app, &owner.caller, owner.organization, developer.member, None).await?;
    }
    Ok(())
}
