//! The console and the JSON API, asked as browsers and programs ask them.

mod cast;
mod harness;
mod matrix;
mod things;
