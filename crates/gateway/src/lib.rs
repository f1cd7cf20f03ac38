//! The data plane: answers model calls by the policy it follows.
//!
//! It knows organizations only through the trail that is fed to it ([`FeedEvent`]) and holds their policy in memory
//! ([`Snapshot`]); it has no database and goes on when the control plane is gone. A call goes through these steps, each
//! a function, each refusal one variant of one type:
//!
//! `admission::presented` (which key) → `Holder::find` (is it the key) → `Asked::parse` (which model) → `Holder::route`
//! (may it: `access::decide`, as in the console) → `Limiter::admit` (is there room in its limits) → `Providers::call` (only with the route) → `AnswerBody` (pass through,
//! count tokens) → `Meter` (one usage record, however it ended). While it runs, `Running::review` decides again when the
//! policy has changed.
#![warn(missing_docs)]

mod admission;
mod asked;
mod body;
mod connections;
mod connector;
mod decision;
mod edge;
mod follower;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod limits;
mod operation;
mod pool;
mod refusal;
mod running;
mod server;
mod snapshot;
mod socket;
pub mod spool;
mod status;
mod steward;
mod tokens;
mod upstream;
mod usage;

pub use connections::Patience;
pub use connector::Connecting;
pub use decision::Decision;
pub use follower::{Alarm, Follower};
pub use gatewarden_feed::{Body, FeedEvent, Filled, RefusalCode, Tokens, UsageRecord, usage_batch};
pub use limits::Telling;
pub use server::{Config, Gateway, Lines};
pub use snapshot::{SealingKeys, Snapshot, Unreadable, Vault};
pub use spool::{Batch, SpoolConfig};
pub use status::{Status, UsageStatus};
pub use steward::Witness;
