//! The version of a thing that the page of a form showed.

use gatewarden_types::Seq;
use serde::{Deserialize, Deserializer, de::Error};

/// What a form's `version` says; none where it is empty, which leaves the order of changes to chance on purpose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen(pub Option<Seq>);

/// A form that says only which version it was drawn from.
#[derive(Deserialize)]
pub struct VersionForm {
    /// That version.
    pub version: Seen,
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(form: D) -> Result<Self, D::Error> {
        match String::deserialize(form)?.as_str() {
            "" => Ok(Self(None)),
            text => text.parse().map(|seq| Self(Some(seq))).map_err(|_| D::Error::custom("version is no number")),
        }
    }
}
