use serde::{Deserialize, Serialize};

use crate::{Id, ModelName};

use super::Provider;

/// An approved model: what callers may name, and what it is called where it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Its id.
    pub id: Id<Model>,
    /// The name callers use; one approved model in the organization bears it.
    pub name: ModelName,
    /// Who runs it.
    pub provider: Id<Provider>,
    /// The provider's own name for it.
    pub upstream: ModelName,
    /// Whether it may be called.
    pub state: ModelState,
}

/// Whether a model may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// It may.
    Approved,
    /// It was, and no longer is.
    Withdrawn,
}
