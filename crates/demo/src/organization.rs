//! The example organization, made by calling the same use cases as everyone: people in every role, providers, models,
//! keys, a month of usage, and the history that comes of it.

mod history;
mod people;
mod policy;
mod usage;

use std::net::{IpAddr, Ipv4Addr};

use gatewarden_access::Caller;
use gatewarden_control::{
    App, Error,
    sessions::{self, Browser},
    set_up::{self, Init},
    sign_in::{SignIn, sign_in},
};
use gatewarden_credentials::{Password, Secret};
use gatewarden_store::Person;
use gatewarden_types::{BaseUrl, Id, Key, Organization};

pub use people::{OWNER, PASSWORD};

/// The organization's word in addresses.
pub const SLUG: &str = "northwind";
/// The model that the first call goes to.
pub const MODEL: &str = "demo-small";

/// What it takes to try the example organization.
#[derive(Debug)]
pub struct Example {
    /// The key that was made for this start.
    pub key: Id<Key>,
    /// Its text.
    pub secret: Secret<String>,
}

/// Where the example's models run.
#[derive(Debug)]
pub struct Models {
    /// The model server's base URL.
    pub base_url: BaseUrl,
    /// What it wants as a bearer secret.
    pub secret: Secret<String>,
}

/// The owner at work in the organization.
struct Owner {
    caller: Caller,
    organization: Id<Organization>,
}

/// Makes the example organization where it is not there yet, leads its providers to where the models run this time,
/// and gives out a fresh key; the key of the start before is revoked.
///
/// # Errors
/// When the database cannot answer, or holds something else than the example organization.
pub async fn prepare(app: &App, models: &Models) -> Result<Example, Error> {
    if set_up::waits(app, app.id()).await? {
        found(app).await?;
    }
    let owner = owner(app).await?;
    if policy::lead_to(app, &owner, models).await? == 0 {
        history::make(app, &owner, models).await?;
    }
    let example = policy::fresh_key(app, &owner).await?;
    sessions::sign_out(app, &owner.caller).await?;
    Ok(example)
}

async fn found(app: &App) -> Result<(), Error> {
    let init = Init {
        owner: Person { name: word(OWNER.0)?, email: word(OWNER.1)? },
        password: word::<Password>(PASSWORD)?,
        organization: word("Northwind Labs")?,
        slug: word(SLUG)?,
    };
    set_up::init(app, app.id(), init).await?;
    Ok(())
}

/// Signs the owner in.
async fn owner(app: &App) -> Result<Owner, Error> {
    let places = app.store.places().await?;
    let place = places.into_iter().find(|place| place.slug.as_str() == SLUG);
    let organization = place.ok_or(Error::Rule("This folder holds other data than the demo's."))?.id;
    let browser = Browser { device: "gatewarden demo".to_owned(), network: IpAddr::V4(Ipv4Addr::LOCALHOST) };
    let password = Secret::new(PASSWORD.to_owned());
    let command = SignIn { email: word(OWNER.1)?, password, browser };
    let signed_in = sign_in(app, app.id(), command).await?;
    let resumed = sessions::resume(app, signed_in.token.expose(), app.id()).await?;
    let caller = resumed.ok_or(Error::Rule("The demo's owner could not be signed in."))?.caller;
    Ok(Owner { caller, organization })
}

/// A word of the example.
fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|bad| Error::Internal(format!("{text}: {bad}")))
}
