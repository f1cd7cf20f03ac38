//! Every route there is. The tests walk this table, and the description of the API is made from it.

mod api;
mod console;
mod gateways;

use crate::Route;

/// The whole table.
pub fn all() -> Vec<Route> {
    [console::table(), api::table(), gateways::table()].into_iter().flatten().collect()
}
