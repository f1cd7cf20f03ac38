//! `/ui`: every token and component on one page.

use askama::Template;

use super::{Choice, Field, Shell};
use crate::charts::{Area, Bar, Spark};

/// `/ui`, in development.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "components/components.html")]
pub struct Components {
    /// The frame.
    pub shell: Shell,
    /// A chart of some figures.
    pub area: Area,
    /// Some bars.
    pub bars: Vec<Bar>,
    /// A small line.
    pub spark: Spark,
    /// A field that is fine.
    pub fine: Field,
    /// A field that is not.
    pub wrong: Field,
    /// A drop-down's choices.
    pub choices: Vec<Choice>,
}

/// The names of the colour tokens, in the order of the page.
pub const COLOURS: [&str; 16] = [
    "ground",
    "surface",
    "raised",
    "sunk",
    "line",
    "line-2",
    "ink",
    "ink-2",
    "ink-3",
    "accent",
    "accent-soft",
    "good",
    "warning",
    "danger",
    "warning-soft",
    "danger-soft",
];
