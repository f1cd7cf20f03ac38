//! How much the database is asked.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sea_orm::DatabaseConnection;

use crate::Store;

/// Counts the statements that go to the database, over all connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statements(Arc<AtomicU64>);

impl Statements {
    /// Counts what goes through this connection from now on.
    pub(crate) fn watch(&self, mut connection: DatabaseConnection) -> DatabaseConnection {
        let count = Arc::clone(&self.0);
        connection.set_metric_callback(move |_statement| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        connection
    }
}

impl Store {
    /// How many statements the database has been asked since the start: for metrics, and for showing that two answers
    /// that must look alike cost alike.
    pub fn statements(&self) -> u64 {
        self.0.statements.0.load(Ordering::Relaxed)
    }
}
