//! Usage: what was called, by whom, and how it went.

mod ingest;
mod overview;
mod range;
mod refusal;

pub use gatewarden_store::{UsageRecord, UsageSlice};
pub use ingest::{NotKept, Observed, ingest};
pub use overview::{MemberUsage, ModelUsage, Overview, by_models, overview};
pub use range::Range;
pub use refusal::RefusalUsage;
