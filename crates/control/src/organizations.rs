//! Organizations: making them, renaming them, and finding one's own.

mod create;
mod read;
mod update;

pub use create::{CreateOrganization, Created, create};
pub use read::{Own, list_own, read};
pub use update::{UpdateOrganization, update};
