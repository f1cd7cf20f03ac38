//! What proves who someone is, and what keeps a secret: API keys, passwords, tokens and sealed provider secrets.
//!
//! All of it is computation. This crate knows no I/O, no clock and no database; random bytes come from the
//! [`Entropy`](gatewarden_types::Entropy) that the caller hands in.
#![warn(missing_docs)]

mod api_key;
mod base62;
mod gateway_credential;
mod password;
mod root_key;
mod sealing;
mod secret;
mod token;

pub use api_key::{ApiKey, BadApiKey};
pub use gateway_credential::{BadGatewayCredential, FrameKey, FramesFor, GatewayCredential};
pub use password::{BadPassword, Password, PasswordHash};
pub use root_key::{BadRootKey, CookieKey, RootKey};
pub use sealing::{Sealed, SealedFor, SealingKey, TooLong, Unopened};
pub use secret::Secret;
pub use token::{BadToken, Token};

use gatewarden_types::Digest;
use subtle::ConstantTimeEq;

/// SHA-256 of `bytes`.
pub fn digest(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest(sha2::Sha256::digest(bytes).into())
}

/// Whether two digests are equal, in a time that says nothing about where they differ.
pub(crate) fn same(a: &Digest, b: &Digest) -> bool {
    a.0.ct_eq(&b.0).into()
}
