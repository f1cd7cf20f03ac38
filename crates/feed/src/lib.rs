//! What gateways follow, and how it travels to those on other hosts.
//!
//! The control plane sends a [`FeedEvent`] for each policy and each entry after it. To a gateway in the same process the
//! events go as they are. To one on another host, and to the disk there, they go as frames ([`FrameWriter`],
//! [`FrameReader`]): sealed, counted, and bounded in size, so that what was changed, cut, repeated or sent to somebody else
//! is refused before it is read.
//!
//! The way back is plain JSON: what a gateway says of itself ([`Report`]), of calls ([`UsageRecord`]) and of the limits that it
//! shares with others ([`Spending`]).
//!
//! All of it is computation: this crate knows no I/O and no clock.
#![warn(missing_docs)]

mod agreed;
mod course;
mod event;
mod frames;
mod limits;
mod report;
mod usage;
mod wire;

pub use agreed::{BEAT, LONGEST_BODY, OUT_OF_REACH, SILENCE, paths};
pub use course::{Astray, Course};
pub use event::{Asked, Body, FeedEvent, Position};
pub use frames::{BadFrame, FrameReader, FrameWriter, NotWritten};
pub use limits::{Fill, Filled, Spender, Spending, Spent, Tallied, Tally};
pub use report::{Enrolled, Enrolment, Report};
pub use usage::{BadCode, RefusalCode, Tokens, UsageRecord, wire as usage_batch};
