//! Where usage records wait on the disk until the other side has acknowledged them.
//!
//! Records are collected every tenth of a second and appended as one frame to a file in the spool's folder. Once that is
//! on the disk (`fdatasync`) they are kept: from then on they reach the receiver, also after a crash, at least once and
//! oldest first, and the file goes when everything in it was acknowledged. Who receives them knows a record that comes
//! twice by its request. When the folder has as many bytes as it may, the oldest file makes room, and what is lost is
//! counted and told. Nothing here is ever waited for by a call.
//!
//! What is done when is decided in `ledger`, which is pure; `folder` has the files and `runner` the thread.

mod folder;
mod frame;
#[cfg(test)]
mod given;
mod ledger;
mod runner;

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use gatewarden_feed::{UsageRecord, usage_batch::BadUsage};
use gatewarden_types::{Id, Organization};
use tokio::sync::oneshot;

pub(crate) use folder::Folder;
pub(crate) use runner::Runner;

/// Where usage waits, and how much of it.
#[derive(Debug, Clone)]
pub struct SpoolConfig {
    /// A folder for this gateway alone. It is made where it is missing.
    pub folder: PathBuf,
    /// How many bytes lie there at most.
    pub most_bytes: u64,
}

impl SpoolConfig {
    /// A folder with the usual 256 MiB, which is some 2,000,000 records.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, most_bytes: 256 * 1024 * 1024 }
    }
}

/// The organizations whose records were not kept.
type Answer = BTreeSet<Id<Organization>>;

/// Records on their way to whoever keeps them. There is one batch at a time: the next comes when this one is answered.
/// Dropping it without an answer says that it was not kept, and it comes again, ever more rarely.
#[derive(Debug)]
#[must_use = "a batch that is dropped comes again"]
pub struct Batch {
    /// At least one, oldest first.
    pub records: Vec<UsageRecord>,
    done: oneshot::Sender<Answer>,
}

impl Batch {
    /// They are kept for good, and need not come again.
    pub fn kept(self) {
        self.kept_except(BTreeSet::new());
    }

    /// The same, but for the records of these organizations. Those come again, ever more rarely, and hold up no others.
    pub fn kept_except(self, organizations: BTreeSet<Id<Organization>>) {
        // A gateway that has ended asks the next time it starts.
        drop(self.done.send(organizations));
    }
}

/// Reads what lies in a spool's folder, oldest first, for whoever wants to look: also while a gateway uses it. Torn ends
/// are left out.
///
/// # Errors
/// When a file cannot be read, or has records in a version that is not known here.
pub fn spooled(folder: &Path) -> io::Result<Vec<UsageRecord>> {
    let mut records = Vec::new();
    for file in folder::files(folder)?.into_values() {
        let bytes = std::fs::read(file)?;
        let read: Result<Vec<_>, BadUsage> = frame::whole(&bytes).iter().map(frame::Frame::records).collect();
        records.extend(read.map_err(io::Error::other)?.into_iter().flatten());
    }
    Ok(records)
}
