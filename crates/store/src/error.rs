//! What can go wrong between a use case and the database.

use gatewarden_access::Refused;
use gatewarden_trail::BadEntry;
use sea_orm::DbErr;

use crate::SecondHistory;

/// A read or a change did not happen, or it is not known whether it did.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Access said no. An attempt has been noted where its class asks for one.
    #[error(transparent)]
    Refused(#[from] Box<Refused>),
    /// The database refused or could not be reached; nothing was changed.
    #[error("the database could not answer: {0}")]
    Database(#[from] DbErr),
    /// The commit's answer was lost and the trail could not be asked: it may have happened.
    #[error("it is not known whether the change was made; look again before you repeat it")]
    Unknown,
    /// The database could not keep the change, and the trail shows that nothing of it was.
    #[error("the database could not keep the change; nothing was changed")]
    NotKept,
    /// A row cannot be read as what it should be. Nothing is made up in its place.
    #[error("a stored {what} cannot be read: {why}")]
    Corrupt {
        /// What kind of row.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The trail is not what was signed of it; nothing was changed.
    #[error(
        "the trail was restored from a backup, or cut: {0}; if it was restored, end the program and run `gatewarden trail \
         restored`"
    )]
    SecondHistory(SecondHistory),
    /// The entry cannot be written.
    #[error(transparent)]
    Entry(#[from] BadEntry),
    /// A permit was used for something else than it was made for: a mistake in the program.
    #[error("a permit for {permit} was used on {target}")]
    WrongPermit {
        /// What it allows.
        permit: String,
        /// What it was used on.
        target: String,
    },
    /// Another program holds the data.
    #[error("the data is in use by {by}")]
    Held {
        /// Which, as it calls itself.
        by: String,
    },
    /// The data folder or the database's settings are not fit for use.
    #[error("{0}")]
    Setup(String),
}

impl From<Refused> for StoreError {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

pub(crate) fn corrupt(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> StoreError {
    move |why| StoreError::Corrupt { what, why: why.to_string() }
}
