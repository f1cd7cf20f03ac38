//! Providers: the services that answer model calls, and the secrets that open them.
//!
//! A secret goes in and never comes out again: it is sealed before the transaction begins, named in the record by its
//! digest, and erased when it is replaced.

mod add;
mod list;
mod remove;
mod secret;
mod test;
mod update;
mod upstreams;

pub use add::{AddProvider, add};
pub use list::{ListedProvider, list, read};
pub use remove::{RemovalEffect, removal_effect, remove};
pub use secret::SecretChange;
pub use test::{Tested, test};
pub use update::{UpdateProvider, update};
pub use upstreams::{NotPermitted, Upstreams};

use gatewarden_access::{Permit, Reads};
use gatewarden_store::OrgTx;
use gatewarden_types::{BaseUrl, Id, Name, Provider, fold};

use crate::{App, Error};

/// Refuses a name that another provider bears, in any case.
async fn name_is_free<A: Reads<Provider>>(
    tx: &OrgTx,
    permit: &Permit<A>,
    name: &Name,
    own: Option<Id<Provider>>,
) -> Result<(), Error> {
    let providers = tx.list::<A, Provider>(permit).await?;
    let taken =
        providers.iter().any(|row| Some(row.record.id) != own && fold(row.record.name.as_str()) == fold(name.as_str()));
    if taken {
        return Err(Error::field("name", "Another provider has this name already. Choose another."));
    }
    Ok(())
}

/// Refuses an address that is known now to be one that the gateways may not call.
async fn address_is_permitted(app: &App, base_url: &BaseUrl) -> Result<(), Error> {
    app.upstreams.check(base_url).await.map_err(|bad| Error::field("base_url", bad.to_string()))
}
