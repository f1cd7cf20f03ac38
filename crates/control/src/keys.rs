//! API keys: whose power they borrow, and how much of it. A key's text is shown once and stored nowhere.

mod create;
mod draft;
mod list;
mod owners;
mod revoke;
mod rotate;

pub use create::{CreateKey, CreatedKey, create};
pub use draft::{Draft, draft, highest};
pub use list::{KeyFilter, KeyStanding, KeysFrom, ListKeys, ListedKey, ListedKeys, list, read};
pub use owners::MayOn;
pub use revoke::revoke;
pub use rotate::{RotatedKey, rotate};
