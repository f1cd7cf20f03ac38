//! Why a use case did not happen, for whoever asked.

use gatewarden_access::Refused;
use gatewarden_store::StoreError;
use gatewarden_types::Seq;

/// A field that cannot be taken, and what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name, as in the form and in the JSON.
    pub field: &'static str,
    /// What is wrong and the way out, as a sentence.
    pub message: String,
}

/// Nothing was changed, unless it says that this is not known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Some fields cannot be taken.
    #[error("some of what was given cannot be taken")]
    Invalid(Vec<FieldError>),
    /// Access said no.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// What was to be changed has changed meanwhile.
    #[error("someone changed this in the meantime; look at it as it is now and decide again")]
    Conflict {
        /// Its version now.
        version: Seq,
    },
    /// What it was about is not there any more.
    #[error("there is nothing here any more")]
    Gone,
    /// A rule of the product stands against it.
    #[error("{0}")]
    Rule(&'static str),
    /// An idempotency key was used before for another request.
    #[error("this Idempotency-Key was used for another request; use a new one for each new request")]
    Reused,
    /// Too many tries.
    #[error("too many tries; try again in {0} seconds")]
    TooMany(u64),
    /// More people sign in than passwords can be compared; in so many seconds there will be room.
    #[error("too many people are signing in just now; try again in {0} seconds")]
    Busy(u64),
    /// Address and password do not belong together, or the link or code is not valid. Says no more on purpose.
    #[error("{0}")]
    NotRecognized(&'static str),
    /// The database could not answer.
    #[error(transparent)]
    Store(StoreError),
    /// Something the program needs failed: hashing, sealing.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// One field that cannot be taken.
    pub fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field, message: message.into() }])
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refused) => Self::Refused(refused),
            other => Self::Store(other),
        }
    }
}
