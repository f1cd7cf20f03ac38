//! The console, the JSON API and the feed, over HTTP. Knows control, never store.

pub mod api;
pub mod assets;
pub mod charts;
pub mod console;
mod gateways;
mod http;
mod openapi;
mod revocation;
mod route;
mod routes;
mod serve;
mod site;
pub mod views;
mod wording;

pub use http::SESSION_COOKIE;
pub use openapi::describe;
pub use route::{Operation, Route, Scope};
pub use routes::all as routes;
pub use serve::{app, serve};
pub use site::{Parts, Site};
