//! The pages. A handler reads what was sent, calls one use case, and draws what it gave back.

pub mod account;
pub mod files;
pub mod gateways;
pub mod invitation;
pub mod invites;
pub mod keys;
pub mod members;
pub mod models;
pub mod organizations;
pub mod overview;
pub mod providers;
pub mod set_up;
pub mod settings;
pub mod sign_in;
pub mod trail;
