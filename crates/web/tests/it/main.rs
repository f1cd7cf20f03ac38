//! The console and the JSON API, asked as browsers and programs ask them.

mod harness;
