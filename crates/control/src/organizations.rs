//! Organizations: making them, renaming them, and finding one's own.

mod create;
mod frame;
mod read;
mod update;

pub use gatewarden_store::Person;

pub use create::{CreateOrganization, Created, create};
pub use frame::{Frame, frame, locate};
pub use read::{Own, list_own, reachable, read};
pub use update::{LimitChange, UpdateOrganization, update};
