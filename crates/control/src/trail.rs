//! The trail as people read it: who did what to what, what it was before, and whether all of it still stands.

mod covering;
mod difference;
mod export;
mod format;
mod list;
mod names;
mod ocsf;
mod prove;
mod read;
mod restored;
mod verify;

pub use difference::{FieldChange, difference};
pub use export::{Export, export, operator};
pub use format::Format;
pub use gatewarden_store::{EntryFilter, SecondHistory};
pub use gatewarden_trail::{Change, Entry};
pub use list::{History, TrailPage, list, search};
pub use names::Names;
pub use prove::prove;
pub use read::{ReadChange, ReadEntry, read};
pub use restored::{begin_epoch, restorer};
pub use verify::{Verification, verify, verify_instance};
