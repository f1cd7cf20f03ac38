//! Approved models: what callers may name, and who runs it.

mod approve;
mod list;
mod withdraw;

pub use approve::{ApproveModel, approve};
pub use list::{ListedModel, list};
pub use withdraw::withdraw;
