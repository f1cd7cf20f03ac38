//! Use cases, on both back ends, by every kind of person.

mod follow;
mod given;
mod keys;
mod models;
mod providers;
mod trail;
mod usage;
