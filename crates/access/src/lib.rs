//! Who may do what: one table of permissions and actions, and the one function that decides.
//!
//! [`decide`] is the only maker of a [`Permit`], and a permit is what the store asks for. `Facts` are put together
//! by the store and the gateway alone. Everything here is synchronous and total: no I/O, no clock, no database.
#![warn(missing_docs)]

mod action;
mod catalogue;
mod decide;
mod facts;
mod limits;
mod permit;
mod power;
mod refused;

pub use action::{Action, ActionInfo, AuditClass, Entries, Reads, Usage, Writes, actions};
pub use catalogue::{Permission, builtin_powers};
pub use decide::decide;
pub use facts::{Caller, Facts, KeyFacts, Owner, RoleFacts, Standing, Subject, member_powers, organization_powers};
pub use limits::KeyLimits;
pub use permit::Permit;
pub use power::PowerSet;
pub use refused::{Reason, Refused};
