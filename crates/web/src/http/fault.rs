//! What went wrong, in the words of HTTP: the one place that maps errors to status.

use actix_web::{HttpResponse, ResponseError, body::BoxBody, http::StatusCode};
use gatewarden_access::Reason;
use gatewarden_control::{Error, FieldError, StoreError};

/// Why a request is not answered as asked. It is drawn as a page, a toast or a problem document by
/// [`super::layers`], which knows who asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// Nobody is signed in, or the key is not known.
    #[error("You are not signed in, or your session has ended.")]
    Unauthenticated,
    /// There is nothing that the caller can see.
    #[error("There is nothing here that you can see.")]
    NotFound,
    /// Another method would do.
    #[error("This address takes another method: {allowed}.")]
    Method {
        /// The methods it takes.
        allowed: String,
    },
    /// The caller may not.
    #[error("{message}")]
    Forbidden {
        /// Why, and who can change it.
        message: String,
        /// The reason as a word.
        word: &'static str,
    },
    /// Fields that cannot be taken.
    #[error("Some of what was given cannot be taken.")]
    Invalid(Vec<FieldError>),
    /// The request cannot be read at all.
    #[error("{0}")]
    Malformed(String),
    /// It changed meanwhile, or stands against a rule.
    #[error("{0}")]
    Conflict(String),
    /// The body is sent as something else than JSON.
    #[error("Send JSON, and say so: `Content-Type: application/json`.")]
    Media,
    /// The body is too large.
    #[error("The request is too large.")]
    TooLarge,
    /// The request did not arrive whole in so many seconds; nobody has looked at it.
    #[error("The request did not arrive whole within {0} seconds. Nothing was done. Send it again.")]
    TooSlow(u64),
    /// Too many tries.
    #[error("Too many tries. Try again in {0} seconds.")]
    TooMany(u64),
    /// More people sign in than the program can take at once; nothing was looked at.
    #[error("Many people are signing in at this moment. Nothing was lost. Try again in {0} seconds.")]
    Busy(u64),
    /// The program or its database could not do it.
    #[error("{message}")]
    Failed {
        /// What may be told.
        message: &'static str,
        /// 500 or 503.
        status: u16,
    },
}

impl Fault {
    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Media => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooMany(_) | Self::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Failed { status, .. } => StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// In how many seconds it is worth trying again, where that is known.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany(seconds) | Self::Busy(seconds) => Some(*seconds),
            _ => None,
        }
    }

    /// A word for it in problem documents.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::NotFound => "not_found",
            Self::Method { .. } => "method_not_allowed",
            Self::Forbidden { word, .. } => word,
            Self::Invalid(_) => "invalid",
            Self::Malformed(_) => "malformed",
            Self::Conflict(_) => "conflict",
            Self::Media => "unsupported_media_type",
            Self::TooLarge => "too_large",
            Self::TooSlow(_) => "too_slow",
            Self::TooMany(_) => "too_many_requests",
            Self::Busy(_) => "busy",
            Self::Failed { .. } => "failed",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Gone => Self::NotFound,
            Error::Refused(refused) if refused.hidden => Self::NotFound,
            Error::Refused(refused) => refused_openly(refused.reason),
            Error::Invalid(fields) => Self::Invalid(fields),
            Error::Conflict { .. } | Error::Rule(_) | Error::Reused => Self::Conflict(sentence(&error.to_string())),
            Error::TooMany(seconds) => Self::TooMany(seconds),
            Error::Busy(seconds) => Self::Busy(seconds),
            Error::NotRecognized(why) => Self::Forbidden { message: why.to_owned(), word: "not_recognized" },
            Error::Store(store) => {
                tracing::error!(error = %store, "the store could not answer");
                Self::Failed { message: known(&store), status: 503 }
            }
            Error::Internal(why) => {
                tracing::error!(error = %why, "a use case failed");
                Self::Failed { message: "The program could not do this. Its log says why.", status: 500 }
            }
        }
    }
}

/// What is known of an act that the store did not answer for.
fn known(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotKept => "The database could not keep the change. Nothing of it was changed: try again.",
        StoreError::Unknown => "The database did not answer. The change may or may not have been made: look first.",
        StoreError::SecondHistory(_) => {
            "The trail was restored from a backup, or cut: it is not what was signed of it. Nothing can be changed until the \
             operator has ended the program and run `gatewarden trail restored`."
        }
        _ => "The database could not answer. If this was to change something, look again before you repeat it.",
    }
}

fn refused_openly(reason: Reason) -> Fault {
    Fault::Forbidden { message: reason.to_string(), word: reason.word() }
}

/// `text` as a sentence: a capital first and a full stop last.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// A bare answer that carries the fault, for the layer that knows how to draw it.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::new(self.status());
        response.extensions_mut().insert(self.clone());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: Error) -> (u16, String) {
        let fault = Fault::from(error);
        (fault.status().as_u16(), fault.to_string())
    }

    #[test]
    fn what_is_known_is_said() {
        let (status, text) = told(StoreError::NotKept.into());
        assert!(status == 503 && text.contains("Nothing of it was changed") && !text.contains("may or may not"));
        let (status, text) = told(StoreError::Unknown.into());
        assert!(status == 503 && text.contains("may or may not"));
        assert_eq!(told(Error::Gone).0, 404, "what is gone is not found");
        let busy = Fault::from(Error::Busy(5));
        assert_eq!((busy.status().as_u16(), busy.word(), busy.retry_after()), (429, "busy", Some(5)));
    }
}
