//! The console, the JSON API and the feed, over HTTP. Knows control, never store.

pub mod assets;
pub mod charts;
pub mod views;
