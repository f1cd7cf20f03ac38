//! Use cases, on both back ends, by every kind of person.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails says so by panicking"
)]

mod actors;
mod epochs;
mod follow;
mod gateways;
mod given;
mod invites;
mod keys;
mod members;
mod models;
mod organizations;
mod providers;
mod roles;
mod set_up;
mod sign_in;
mod trail;
mod trail_exports;
mod usage;
