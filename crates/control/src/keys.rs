//! API keys: whose power they borrow, and how much of it. A key's text is shown once and stored nowhere.

mod create;
mod list;
mod revoke;
mod rotate;

pub use create::{CreateKey, CreatedKey, create};
pub use list::{KeyFilter, KeyStanding, ListKeys, ListedKey, ListedKeys, list, read};
pub use revoke::revoke;
pub use rotate::{RotatedKey, rotate};
