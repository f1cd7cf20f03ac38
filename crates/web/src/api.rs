//! The JSON API: the same use cases, for programs.

pub mod invites;
pub mod members;
pub mod organization;
pub mod roles;
pub mod trail;
pub mod usage;

use gatewarden_control::FieldError;

use crate::http::Fault;

/// A word that was sent, or which field cannot be taken and why.
pub(crate) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(field: &'static str, sent: &str) -> Result<T, Fault> {
    sent.parse().map_err(|bad: T::Err| invalid(field, bad.to_string()))
}

/// One field that cannot be taken.
pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Fault {
    Fault::Invalid(vec![FieldError { field, message: message.into() }])
}

/// How many things a page of the API holds unless asked otherwise, and at most.
pub(crate) const PAGE: u64 = 50;
pub(crate) const LARGEST_PAGE: u64 = 200;

/// The number of things a page is asked to hold.
pub(crate) fn limit(asked: Option<u64>) -> u64 {
    asked.unwrap_or(PAGE).clamp(1, LARGEST_PAGE)
}
