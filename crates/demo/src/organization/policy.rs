//! What may be called, and with which keys.

use gatewarden_control::{
    App, Error,
    keys::{self, CreateKey, KeyFilter, KeyStanding, ListKeys},
    models::{self, ApproveModel},
    providers::{self, AddProvider, SecretChange, UpdateProvider},
};
use gatewarden_types::{Dialect, Id, Model, Provider};

use super::{Example, Models, Owner, word};

/// The providers, and the models of each: what callers say, and what the provider calls it.
const PROVIDERS: [(&str, &[(&str, &str)]); 2] = [
    ("Demo models", &[("demo-small", "demo-small"), ("demo-large", "demo-large")]),
    ("Research cluster", &[("demo-reasoning", "demo-reasoning"), ("demo-slow", "slow")]),
];

/// What the key of each start is called.
const KEY: &str = "Key of this start";

/// Leads the providers that are there to where the models run now: a free port, and so another at each start. Says how
/// many providers there are.
pub async fn lead_to(app: &App, owner: &Owner, models: &Models) -> Result<usize, Error> {
    let (listed, _) = providers::list(app, &owner.caller, owner.organization).await?;
    let count = listed.len();
    for row in listed.into_iter().map(|listed| listed.provider) {
        let ours = PROVIDERS.iter().any(|(name, _)| *name == row.record.name.as_str());
        if ours && row.record.base_url != models.base_url {
            let command = UpdateProvider {
                provider: row.record.id,
                name: None,
                base_url: Some(models.base_url.clone()),
                secret: SecretChange::Replace(models.secret.clone()),
                seen: Some(row.version),
            };
            providers::update(app, &owner.caller, owner.organization, command).await?;
        }
    }
    Ok(count)
}

/// Adds the providers and approves their models.
pub async fn approve(app: &App, owner: &Owner, models: &Models) -> Result<Vec<Model>, Error> {
    let mut approved = Vec::new();
    for (name, offered) in PROVIDERS {
        let provider = add(app, owner, name, models).await?;
        for (name, upstream) in offered {
            let command = ApproveModel { name: word(name)?, provider, upstream: word(upstream)?, once: None };
            approved.push(models::approve(app, &owner.caller, owner.organization, command).await?.value);
        }
    }
    Ok(approved)
}

async fn add(app: &App, owner: &Owner, name: &str, models: &Models) -> Result<Id<Provider>, Error> {
    let command = AddProvider {
        name: word(name)?,
        dialect: Dialect::OpenAi,
        base_url: models.base_url.clone(),
        secret: Some(models.secret.clone()),
        once: None,
    };
    Ok(providers::add(app, &owner.caller, owner.organization, command).await?.value.id)
}

/// A key of the owner's own for this start; those of earlier starts are revoked.
pub async fn fresh_key(app: &App, owner: &Owner) -> Result<Example, Error> {
    let filter = KeyFilter { search: Some(KEY.to_owned()), owner: None, standing: Some(KeyStanding::Active) };
    let earlier = ListKeys { filter, from: None, limit: 1000 };
    for row in keys::list(app, &owner.caller, owner.organization, earlier).await?.rows {
        keys::revoke(app, &owner.caller, owner.organization, row.key.record.id, None).await?;
    }
    let command = CreateKey::usual(word(KEY)?);
    let made = keys::create(app, &owner.caller, owner.organization, command).await?;
    let secret = made.secret.ok_or(Error::Rule("The key of this start has no text."))?;
    Ok(Example { key: made.key.value.id, secret })
}
