//! What gateways follow: the policy of every organization as a base, and each entry after it.

mod feed;
mod read;

pub use feed::run;
pub(crate) use feed::run_one;
pub use gatewarden_feed::{FeedEvent, Position};
pub(crate) use read::end;
pub use read::{Base, FollowedEntry, base, entries_after};
