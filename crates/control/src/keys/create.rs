use gatewarden_access::{Caller, KeyLimits, Permit, actions};
use gatewarden_credentials::{ApiKey, Secret};
use gatewarden_store::{Giving, OrgTx};
use gatewarden_types::{
    Id, Key, KeyOwner, KeyState, Levels, Limits, Model, ModelSet, ModelState, Name, Organization, PerMinute, Timestamp,
    Versioned, Via,
};

use crate::{App, Changed, Error, Once, or_refuse};

/// The longest a key may live, in seconds: five years.
const LONGEST: i64 = 5 * 366 * 86_400;

/// Makes a key.
#[derive(Debug, Clone)]
pub struct CreateKey {
    /// What people call it.
    pub name: Name,
    /// Whose power it borrows; none for the calling member's own.
    pub owner: Option<KeyOwner>,
    /// How much of it.
    pub levels: Levels,
    /// Which approved models it may call.
    pub models: ModelSet,
    /// How much may be called with it in a minute; with a key made with a key, no more than with that one.
    pub limits: Limits,
    /// From when it is refused; at most five years ahead. A key made with a key ends with that one unless it says less.
    pub expires: Option<Timestamp>,
    /// The request's `Idempotency-Key`.
    pub once: Option<Once>,
}

impl CreateKey {
    /// A key as they are made unless said otherwise: one's own, for calling every approved model, without an end.
    pub fn usual(name: Name) -> Self {
        let (levels, models, limits) = (Key::usual_levels(), ModelSet::All, Limits::default());
        Self { name, owner: None, levels, models, limits, expires: None, once: None }
    }
}

/// A new key.
#[derive(Debug)]
pub struct CreatedKey {
    /// The key.
    pub key: Changed<Key>,
    /// Its text, which nobody sees again; none when the same request made the key before.
    pub secret: Option<Secret<String>>,
}

/// Makes the key. It never does more than whoever makes it may do.
///
/// # Errors
/// When the caller may not, a model is not approved, or the expiry is out of bounds.
pub async fn create(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: CreateKey,
) -> Result<CreatedKey, Error> {
    let id = app.id();
    let text = ApiKey::generate(id, &app.entropy);
    let mut tx = app.store.change(caller, organization).await?;
    let owner = command.owner.or(tx.facts().asking_member().map(KeyOwner::Member)).unwrap_or(KeyOwner::Organization);
    // Before the decision, which would refuse it without naming the field.
    let expires = within_time(command.expires, tx.facts().limits())?;
    let most = KeyLimits::new(&command.levels, &command.models, expires);
    let giving = Giving::Key(owner, most);
    let permit = or_refuse!(tx, tx.permit_giving::<actions::CreateKey>(&giving).await);
    if let Some(before) = Once::before::<_, Key>(command.once.as_ref(), &tx, &permit).await? {
        return again(&tx, before).await;
    }
    check_expiry(expires, tx.now())?;
    check_models(&tx, &permit, &command.models).await?;
    let limits = within_limits(&tx, &permit, caller, command.limits).await?;
    let CreateKey { name, levels, models, once, .. } = command;
    let key =
        Key { id, name, owner, levels, models, limits, expires, verifier: text.verifier(), state: KeyState::Active };
    tx.put(&permit, &key).await?;
    Once::keep(once.as_ref(), &mut tx, &permit, id).await?;
    let committed = tx.commit(permit).await?;
    app.store.enter(id, organization).await;
    Ok(CreatedKey { key: Changed { value: key, version: committed.seq }, secret: Some(text.text()) })
}

/// What the same request made before, without its text.
async fn again(tx: &OrgTx, before: Id<Key>) -> Result<CreatedKey, Error> {
    let (_permit, row) = tx.permit_on::<actions::ReadKey>(before, |_| Giving::Nothing).await?;
    Ok(CreatedKey { key: Changed { value: row.record, version: row.version }, secret: None })
}

/// When the new key ends, which is never after the key that it is made with.
fn within_time(expires: Option<Timestamp>, maker: Option<&KeyLimits>) -> Result<Option<Timestamp>, Error> {
    let Some(maker) = maker else { return Ok(expires) };
    let expires = expires.or(maker.expires);
    if maker.end_before(expires) {
        return Err(Error::field(
            "expires",
            "A key does not outlive the key that makes it. Give an instant before that one ends, or none.",
        ));
    }
    Ok(expires)
}

/// How much the new key lets through, which is never more than the key that it is made with.
async fn within_limits(
    tx: &OrgTx,
    permit: &Permit<actions::CreateKey>,
    caller: &Caller,
    asked: Limits,
) -> Result<Limits, Error> {
    let Via::Key(maker) = caller.via else { return Ok(asked) };
    let Some(maker) = tx.get::<_, Key>(permit, maker).await? else { return Ok(asked) };
    let most = maker.record.limits;
    Ok(Limits {
        requests: at_most("requests_per_minute", asked.requests, most.requests)?,
        tokens: at_most("tokens_per_minute", asked.tokens, most.tokens)?,
    })
}

fn at_most(field: &'static str, asked: Option<PerMinute>, most: Option<PerMinute>) -> Result<Option<PerMinute>, Error> {
    match (asked, most) {
        (Some(asked), Some(most)) if asked > most => {
            Err(Error::field(field, format!("The key that makes this one lets {most} through. Give that or less.")))
        }
        _ => Ok(asked.or(most)),
    }
}

fn check_expiry(expires: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
    match expires {
        Some(expires) if expires <= now => {
            Err(Error::field("expires", "This instant is over. Give one in the future, or none."))
        }
        Some(expires) if expires > now.plus_seconds(LONGEST) => {
            Err(Error::field("expires", "A key lives at most five years. Give an earlier instant, or none."))
        }
        _ => Ok(()),
    }
}

async fn check_models(tx: &OrgTx, permit: &Permit<actions::CreateKey>, models: &ModelSet) -> Result<(), Error> {
    let ModelSet::Only(named) = models else { return Ok(()) };
    if named.is_empty() {
        return Err(Error::field("models", "Name at least one model, or allow all of them."));
    }
    let known: Vec<Versioned<Model>> = tx.list(permit).await?;
    let approved =
        |id: &Id<Model>| known.iter().any(|row| row.record.id == *id && row.record.state == ModelState::Approved);
    match named.iter().find(|id| !approved(id)) {
        Some(id) => {
            Err(Error::field("models", format!("{id} is not an approved model. Choose among the approved ones.")))
        }
        None => Ok(()),
    }
}
