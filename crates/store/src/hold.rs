//! The data is held by one program at a time: only one that knows itself alone may undo what looks unfinished.

use std::fmt::Debug;

use crate::{Store, StoreError};

/// The data, held for this program until this is dropped or the program ends, however it ends. On PostgreSQL it is held
/// through one connection and lost with it; each organization's own lock still orders every change then.
#[derive(Debug)]
#[must_use = "dropping it lets go of the data"]
pub struct Hold {
    _lock: Lock,
}

/// What the back end lets go of when it is dropped: an open file or a connection.
pub(crate) type Lock = Box<dyn Debug + Send + Sync>;

impl Store {
    /// Takes the data for this program alone, as `who`, and finishes or undoes every creation of an organization that was
    /// cut off: nobody else can be in the midst of one.
    ///
    /// # Errors
    /// [`StoreError::Held`] when another program holds it.
    pub async fn hold(&self, who: &str) -> Result<Hold, StoreError> {
        let lock = self.0.backend.hold(who).await?;
        self.recover().await?;
        Ok(Hold { _lock: lock })
    }
}
