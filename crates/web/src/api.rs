//! The JSON API: the same use cases, for programs.

pub mod document;
pub mod gateways;
pub mod invites;
pub mod keys;
pub mod members;
pub mod models;
pub mod organization;
pub mod providers;
pub mod revocation;
pub mod roles;
pub mod trail;
pub mod usage;

use actix_web::cookie::time::{OffsetDateTime, format_description::well_known::Rfc3339};
use gatewarden_control::FieldError;
use gatewarden_types::{PerMinute, Timestamp};
use serde::Deserialize;

use crate::http::Fault;

/// A word that was sent, or which field cannot be taken and why.
pub(crate) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(field: &'static str, sent: &str) -> Result<T, Fault> {
    sent.parse().map_err(|bad: T::Err| invalid(field, bad.to_string()))
}

/// One field that cannot be taken.
pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Fault {
    Fault::Invalid(vec![FieldError { field, message: message.into() }])
}

/// An instant that was sent, as RFC 3339 has it.
pub(crate) fn instant(field: &'static str, sent: &str) -> Result<Timestamp, Fault> {
    let read = OffsetDateTime::parse(sent, &Rfc3339).ok();
    let micros = read.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1000).ok());
    let instant = micros.map(Timestamp::from_micros);
    instant.ok_or_else(|| invalid(field, "Give an instant such as 2027-01-31T12:00:00Z."))
}

/// A limit that was sent; none is no limit.
pub(crate) fn per_minute(field: &'static str, sent: Option<u64>) -> Result<Option<PerMinute>, Fault> {
    sent.map(PerMinute::try_from).transpose().map_err(|bad| invalid(field, bad.to_string()))
}

/// How many things a page of the API holds unless asked otherwise, and at most.
pub(crate) const PAGE: u64 = 50;
pub(crate) const LARGEST_PAGE: u64 = 200;

/// The number of things a page is asked to hold.
pub(crate) fn limit<N: TryFrom<u64> + Default>(asked: Option<u64>) -> N {
    N::try_from(asked.unwrap_or(PAGE).clamp(1, LARGEST_PAGE)).unwrap_or_default()
}

/// Which page of a list that has no filters.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Paged {
    after: Option<String>,
    limit: Option<u64>,
}

/// The page that was asked for of rows in the order of `key`: its rows, how many there are in all, and the cursor of
/// the next page.
pub(crate) fn cut<T>(rows: Vec<T>, key: impl Fn(&T) -> String, asked: &Paged) -> (Vec<T>, usize, Option<String>) {
    let total = rows.len();
    let later = |row: &T| asked.after.as_ref().is_none_or(|after| key(row) > *after);
    let mut rest: Vec<T> = rows.into_iter().filter(later).collect();
    let limit: usize = limit(asked.limit);
    let more = rest.len() > limit;
    rest.truncate(limit);
    let next = rest.last().filter(|_| more).map(&key);
    (rest, total, next)
}
