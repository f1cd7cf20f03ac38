use std::collections::BTreeSet;

use gatewarden_access::{ActionInfo, Caller, Facts, KeyLimits, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Feature, Id, KeyOwner, Level, Levels, Model, ModelSet, ModelState, Organization};

use crate::{App, Error};

/// What a form for a new key offers its author.
#[derive(Debug)]
pub struct Draft {
    /// Whose power the key may borrow: the author's own first.
    pub owners: Vec<KeyOwner>,
    /// Every approved model, by name.
    pub models: Vec<Model>,
    /// What the author may do.
    pub facts: Facts,
}

/// What the caller could put into a new key.
///
/// # Errors
/// When the caller may not create keys.
pub async fn draft(app: &App, caller: &Caller, organization: Id<Organization>) -> Result<Draft, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::CreateKey>()?;
    let mut models: Vec<Model> = read.list(&permit).await?.into_iter().map(|row| row.record).collect();
    models.retain(|model| model.state == ModelState::Approved);
    models.sort_by(|a, b| a.name.cmp(&b.name));
    let mut owners: Vec<KeyOwner> = read.facts().asking_member().map(KeyOwner::Member).into_iter().collect();
    let least = KeyLimits::new(&Levels::new(), &ModelSet::Only(BTreeSet::new()), Some(read.now()));
    let of_organization = Giving::Key(KeyOwner::Organization, least);
    if read.permit_giving::<actions::CreateKey>(&of_organization).await.is_ok() {
        owners.push(KeyOwner::Organization);
    }
    Ok(Draft { owners, models, facts: read.facts().clone() })
}

/// The highest level of a feature that does anything in the hands of this caller: all of them where nothing that the
/// feature lets one do is kept from them.
pub fn highest(facts: &Facts, feature: Feature) -> Level {
    let of_feature = ActionInfo::ALL.iter().filter(|info| info.level.0 == feature && info.permission.in_roles());
    let (held, kept): (Vec<&ActionInfo>, Vec<&ActionInfo>) = of_feature.partition(|info| facts.allows(info).is_some());
    if kept.is_empty() { Level::Delete } else { held.iter().map(|info| info.level.1).max().unwrap_or_default() }
}
