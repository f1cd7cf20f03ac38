//! Where everything is kept, on SQLite or PostgreSQL.
//!
//! An organization's tables are reached through [`OrgRead`], [`OrgTx`] and [`OrgIntake`] alone, each made from a
//! [`Caller`](gatewarden_access::Caller); the control schema through [`ControlRead`] and [`ControlTx`]. Every read and
//! write takes a permit, and a change leaves through [`OrgTx::commit`], which writes its entry. Entities, rows and
//! connections never leave this crate, and it knows no HTTP and no use case.

mod append;
mod authenticate;
mod backend;
mod checkpoints;
mod control;
mod credentials;
mod entity;
mod epochs;
mod error;
mod examine;
mod facts;
mod found;
mod hold;
mod idempotency;
mod instance_trail;
mod intake;
mod invites;
mod members;
mod org_read;
mod org_tx;
mod people;
mod presence;
mod roll;
mod settings;
mod statements;
mod table;
mod tables;
mod trail;
mod usage;

pub use append::Committed;
pub use checkpoints::Kept;
pub use control::{AccountRow, ControlRead, ControlTx, Place, SessionRow, SignInRow};
pub use epochs::SecondHistory;
pub use error::StoreError;
pub use examine::Examination;
pub use facts::Giving;
pub use hold::Hold;
pub use idempotency::Repeat;
pub use instance_trail::InstanceTrail;
pub use intake::OrgIntake;
pub use invites::AddressOf;
pub use members::{MemberFilter, MemberOrder, MemberPage, MemberRow, MemberSort, PageFrom};
pub use org_read::OrgRead;
pub use org_tx::OrgTx;
pub use people::Person;
pub use presence::Presence;
pub use roll::{Listed, Roll, Trace, Unlisted};
pub use settings::{Database, Moved, Signers, Store, StoreSettings};
pub use table::Table;
pub use trail::{EntryFilter, TrailEntry};
pub use usage::{UsageFilter, UsageRecord, UsageSlice};
