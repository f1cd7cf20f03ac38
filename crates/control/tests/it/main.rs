//! Use cases, on both back ends, by every kind of person.

mod given;
mod keys;
mod models;
mod providers;
