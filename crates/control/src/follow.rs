//! What gateways follow: the policy of every organization as a base, and each entry after it.

mod feed;
mod read;

pub use feed::{FeedEvent, run};
pub use read::{Base, FollowedEntry, base, entries_after};
