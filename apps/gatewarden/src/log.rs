//! What the program says about itself, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::Log;

/// Begins to log. Values of type `Secret` are never shown, and requests are logged without bodies and query strings.
pub fn start(log: &Log) {
    // What these libraries say of their own work drowns everything else.
    let filter = EnvFilter::new(format!("sqlx=warn,sea_orm_migration=warn,actix_server=warn,{}", log.level));
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let lines = if log.json { lines.json().flatten_event(true).boxed() } else { lines.with_target(false).boxed() };
    // The filter stands before the layer and not on it: there it drops the event after a `tracing::enabled!` that it said
    // no to, and sqlx asks that of every statement.
    tracing_subscriber::registry().with(filter).with(lines).init();
}
