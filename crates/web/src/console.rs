//! The pages. A handler reads what was sent, calls one use case, and draws what it gave back.

pub mod files;
pub mod members;
pub mod organizations;
pub mod settings;
