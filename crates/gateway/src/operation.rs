//! The model calls that the gateway serves.

use gatewarden_types::Dialect;
use hyper::header::{HeaderMap, HeaderName};

/// A kind of model call. Its path below the version is the same here and at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Chat,
    Embeddings,
    Messages,
    CountTokens,
}

/// Clients of the Anthropic API send this with every request, and no others do.
pub(crate) const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

impl Operation {
    pub(crate) const ALL: [Self; 4] = [Self::Chat, Self::Embeddings, Self::Messages, Self::CountTokens];

    /// The operation that a path stands for.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let below = path.strip_prefix("/v1")?;
        Self::ALL.into_iter().find(|operation| operation.path() == below)
    }

    /// The operations of an API that call a model for its answer.
    pub(crate) fn of_dialect(dialect: Dialect) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |one| one.dialect() == dialect && *one != Self::CountTokens)
    }

    /// Its path below the version.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Embeddings => "/embeddings",
            Self::Messages => "/messages",
            Self::CountTokens => "/messages/count_tokens",
        }
    }

    /// The API that it is part of.
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Chat | Self::Embeddings => Dialect::OpenAi,
            Self::Messages | Self::CountTokens => Dialect::Anthropic,
        }
    }
}

/// The API in which a caller reads answers: the one that its path is part of, or else the one that its client speaks.
pub(crate) fn spoken(path: &str, headers: &HeaderMap) -> Dialect {
    match Operation::of(path) {
        Some(operation) => operation.dialect(),
        None if path.starts_with("/v1/messages") || headers.contains_key(ANTHROPIC_VERSION) => Dialect::Anthropic,
        None => Dialect::OpenAi,
    }
}
