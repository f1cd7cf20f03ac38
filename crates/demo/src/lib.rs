//! Something to try the product with: a model server that needs no account.

pub mod upstream;
