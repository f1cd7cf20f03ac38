//! What the program says about itself, on standard error.

use std::io;

use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::Log;

/// Begins to log. Values of type `Secret` are never shown, and requests are logged without bodies and query strings.
pub fn start(log: &Log) {
    // The statements of sqlx carry no values, but drown everything else.
    let filter = EnvFilter::new(format!("sqlx=warn,sea_orm_migration=warn,{}", log.level));
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = if log.json { lines.json().flatten_event(true).boxed() } else { lines.with_target(false).boxed() };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}
