//! What people and programs can do with Gatewarden: the use cases, one file each.
//!
//! Console, JSON API and command line call the same ones. A use case opens a transaction, asks for a permit, changes
//! rows with it, and leaves by committing, by refusing, or by doing nothing. This crate knows no HTTP and no template.

pub mod account;
mod app;
pub mod authenticate;
pub mod checkpointer;
mod error;
pub mod follow;
pub mod gateways;
mod hashing;
pub mod invites;
pub mod keys;
pub mod members;
pub mod models;
mod names;
mod once;
pub mod organizations;
pub mod providers;
pub mod roles;
pub mod sessions;
pub mod set_up;
pub mod sign_in;
pub mod trail;
pub mod usage;

pub use app::{App, AppParts};
pub use error::{Error, FieldError};
pub use gatewarden_access::Caller;
pub use gatewarden_store::{Committed, StoreError};
pub use once::Once;

use gatewarden_types::Seq;

/// What a change left behind.
#[derive(Debug, Clone)]
pub struct Changed<T> {
    /// The thing as it is now.
    pub value: T,
    /// Its version: the seq of the entry that says so.
    pub version: Seq,
}

/// Refuses a change of a row that is no longer the one its editor saw. None: they did not say what they saw.
pub(crate) fn check_seen(seen: Option<Seq>, version: Seq) -> Result<(), Error> {
    match seen {
        Some(seen) if seen != version => Err(Error::Conflict { version }),
        _ => Ok(()),
    }
}

/// What was asked of a transaction, or the way out of the use case: a refusal is noted as an attempt first.
macro_rules! or_refuse {
    ($tx:ident, $asked:expr) => {
        match $asked {
            Ok(permitted) => permitted,
            Err(refused) => return Err($tx.fail(refused).await.into()),
        }
    };
}
pub(crate) use or_refuse;
