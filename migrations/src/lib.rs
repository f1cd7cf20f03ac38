//! The tables of Gatewarden, as migrations that run alike on SQLite and on PostgreSQL.
//!
//! Tenant migrations expand and contract: a column is added, never changed in place, because organizations differ
//! while a migration rolls. Used by `gatewarden-store` alone.

mod append_only;
mod control;
mod organization;

use sea_orm_migration::{MigrationTrait, MigratorTraitSelf};

pub use control::CONTROL_TABLES;
pub use organization::{ORGANIZATION_TABLES, Part};

/// What a table holds; no table mixes two of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Changed by an organization's writer alone; folding the trail equals these, row for row.
    Policy,
    /// Names, addresses and free text: erasable.
    Person,
    /// What machines report.
    Observed,
    /// What the program needs to work: secrets' sealed bodies, repeated requests.
    Working,
    /// The trail itself: only ever appended to.
    Trail,
}

/// Migrates the control schema or file.
#[derive(Debug, Clone, Copy)]
pub struct Control;

/// Migrates one organization's schema, or one of its two files.
#[derive(Debug, Clone, Copy)]
pub struct Tenant(pub Part);

impl MigratorTraitSelf for Control {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(control::Baseline)]
    }
}

impl MigratorTraitSelf for Tenant {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(organization::Baseline(self.0))]
    }
}
