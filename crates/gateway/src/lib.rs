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
mod limits;
mod operation;
mod refusal;
mod running;
mod server;
mod snapshot;
mod status;
mod tokens;
mod upstream;
mod usage;

pub use connections::Patience;
pub use connector::Connecting;
pub use decision::Decision;
pub use follower::{Alarm, FeedEvent, Follower};
pub use server::{Config, Gateway, Lines};
pub use snapshot::{Snapshot, Unreadable, Vault};
pub use status::Status;
pub use tokens::Tokens;
pub use usage::UsageRecord;
