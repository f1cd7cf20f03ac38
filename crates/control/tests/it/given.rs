//! What tests begin with, and how they tell outcomes apart.

use gatewarden_control::{
    Caller, Changed, Error,
    models::{self, ApproveModel},
    providers::{self, AddProvider},
};
use gatewarden_credentials::Secret;
use gatewarden_testkit::World;
use gatewarden_types::{Dialect, Id, Model, Provider};

/// Adding `name` at `base_url` with a secret.
pub fn adding(name: &str, base_url: &str, secret: Option<&str>) -> AddProvider {
    AddProvider {
        name: name.parse().unwrap(),
        dialect: Dialect::OpenAi,
        base_url: base_url.parse().unwrap(),
        secret: secret.map(|secret| Secret::new(secret.to_owned())),
        once: None,
    }
}

/// A provider on this machine, added by the owner.
pub async fn provider(world: &World, name: &str) -> Changed<Provider> {
    let command = adding(name, "http://127.0.0.1:9/v1", Some("sk-first"));
    providers::add(world.app(), &world.owner().caller(), world.org(), command).await.unwrap()
}

/// Approving `name` of a provider.
pub fn approving(name: &str, provider: Id<Provider>) -> ApproveModel {
    let name: gatewarden_types::ModelName = name.parse().unwrap();
    ApproveModel { upstream: name.clone(), name, provider, once: None }
}

/// A model approved by the owner.
pub async fn model(world: &World, name: &str, provider: Id<Provider>) -> Changed<Model> {
    models::approve(world.app(), &world.owner().caller(), world.org(), approving(name, provider)).await.unwrap()
}

/// Those who may neither see nor change anything here.
pub fn outsiders(world: &World) -> [Caller; 3] {
    [world.stranger().caller(), world.suspended().caller(), world.anonymous()]
}

/// The field that was not taken.
pub fn field<T: std::fmt::Debug>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Err(Error::Invalid(fields)) => fields[0].field,
        other => panic!("a field error was due, not {other:?}"),
    }
}

/// Whether access said no.
pub fn refused<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Refused(_)))
}
