//! The console and the JSON API, asked as browsers and programs ask them.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails by saying so"
)]

mod api_gateways;
mod api_keys;
mod api_members;
mod api_models;
mod api_organization;
mod api_providers;
mod bad_input;
mod cast;
mod console_gateways;
mod console_keys;
mod console_members;
mod console_models;
mod console_organizations;
mod console_providers;
mod document;
mod follower;
mod harness;
mod laws;
mod matrix;
mod records_account;
mod records_browser;
mod records_doors;
mod records_invites;
mod records_overview;
mod records_trail;
mod slow;
mod things;
