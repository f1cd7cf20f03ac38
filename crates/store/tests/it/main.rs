//! The store under test, on both back ends.

mod world;
