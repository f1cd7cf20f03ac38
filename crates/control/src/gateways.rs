//! Gateways on other hosts: each is let in by one organization, follows that one, and reports its calls.
//!
//! A token lets it enrol once. It then brings a secret of its own, of which only the digest is kept: whoever reads the
//! database can neither follow an organization nor pose as its gateway.

mod add;
mod admit;
mod connected;
mod drain;
mod enroll;
mod feed;
mod goes_on;
mod in_effect;
mod list;
mod remove;
mod report;
mod share_limits;

pub use add::{AddGateway, AddedGateway, Commands, add, commands, operator};
pub use admit::{Admitted, admit};
pub(crate) use connected::Connected;
pub use connected::Sighting;
pub use drain::drain;
pub use enroll::enroll;
pub use feed::feed;
pub use gatewarden_feed::{Asked, Enrolled, Enrolment, LONGEST_BODY, Position, Report, Spending, paths, usage_batch};
pub use in_effect::{InEffect, in_effect};
pub use list::{ListedGateway, ListedGateways, Progress, as_listed, list, may_list};
pub use remove::remove;
pub use report::{keep_usage, report};
pub use share_limits::{share_limits, share_limits_here};

/// How long the token of a new gateway can be used: one hour.
pub const LIFETIME_SECONDS: i64 = 60 * 60;

/// Ends what is sent to gateways on other hosts, because the program ends. They come again.
pub fn hang_up(app: &crate::App) {
    app.connected().hang_up();
}
