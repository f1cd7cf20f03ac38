//! Between HTTP and the use cases: who asks, what they sent, and how they are answered.

mod answer;
mod arrival;
mod fault;
mod forwarded;
mod here;
mod layers;
mod notice;
mod seen;
mod sender;
pub(crate) mod session;
mod visitor;

pub use answer::Answer;
pub(crate) use answer::{download, html, now_true, stream};
pub(crate) use arrival::{LARGEST_BODY, arrived};
pub use fault::Fault;
pub use here::{Here, may};
pub(crate) use layers::{forms_from_elsewhere, frame};
pub use seen::{Seen, VersionForm};
pub use sender::KeyHolder;
pub(crate) use sender::bearer;
pub use visitor::{SESSION_COOKIE, Stranger, Visitor};

/// Nothing is served at the path.
pub(crate) async fn not_found() -> Answer {
    Err(Fault::NotFound)
}

/// Something is, but not for this method.
pub(crate) fn method_not_allowed(allowed: String) -> Answer {
    Err(Fault::Method { allowed })
}
