use serde::{Deserialize, Serialize};

use crate::{BaseUrl, Digest, Id, Name};

/// A service that answers model calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Its id.
    pub id: Id<Provider>,
    /// What people call it.
    pub name: Name,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Where it is; callers can never choose another place.
    pub base_url: BaseUrl,
    /// Which sealed secret opens it.
    pub credential: Option<CredentialRef>,
}

/// The API a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The OpenAI API and whatever is compatible with it.
    OpenAi,
    /// The Anthropic API: messages.
    Anthropic,
}

impl Dialect {
    /// Every dialect, in the order a form shows them.
    pub const ALL: [Self; 2] = [Self::OpenAi, Self::Anthropic];

    /// The word for it in forms and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OpenAi => "OpenAI",
            Self::Anthropic => "Anthropic",
        }
    }
}

/// Names a provider's secret without holding it: the SHA-256 of the sealed body, which is stored beside and can be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CredentialRef(pub Digest);
