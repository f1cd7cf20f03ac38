//! Something to try the product with: a model server that needs no account, and an example organization.

#[cfg(feature = "organization")]
pub mod organization;
pub mod upstream;
