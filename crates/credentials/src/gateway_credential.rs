use std::{fmt, str::FromStr};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use gatewarden_types::{Digest, Gateway, Id};
use zeroize::Zeroize;

use crate::{SealingKey, Secret, Token, Unopened, root_key::expand};

/// What a gateway on another host shows to be let in: which gateway, and 256 secret bits. A token to enrol with has the
/// same form, and works once.
///
/// The text is the gateway's id, a dot, and the 43 characters of a [`Token`]. What is stored is the token's digest. The
/// keys for what travels to the gateway, and for what it keeps on its disk, are derived from the token (HKDF-SHA256).
#[derive(Debug)]
pub struct GatewayCredential {
    gateway: Id<Gateway>,
    token: Token,
}

/// The text is no gateway's credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Not a gateway's token: it starts with gtw_ and has a dot in it. Copy it again, whole.")]
pub struct BadGatewayCredential;

impl GatewayCredential {
    /// One for `gateway`.
    pub fn new(gateway: Id<Gateway>, token: Token) -> Self {
        Self { gateway, token }
    }

    /// The text for its holder.
    pub fn text(&self) -> Secret<String> {
        Secret::new(format!("{}.{}", self.gateway, self.token.text().expose()))
    }

    /// Which gateway it claims to be. Nothing is proven until [`GatewayCredential::matches`] has said so.
    pub fn gateway(&self) -> Id<Gateway> {
        self.gateway
    }

    /// What is stored of it.
    pub fn verifier(&self) -> Digest {
        self.token.digest()
    }

    /// Whether it is the one that `verifier` was made from, in constant time.
    pub fn matches(&self, verifier: &Digest) -> bool {
        self.token.matches(verifier)
    }

    /// What provider secrets are sealed with on their way to this gateway and on its disk.
    pub fn sealing(&self) -> SealingKey {
        SealingKey::new(expand(self.token.bytes(), &[b"gatewarden gateway sealing v1"]))
    }

    /// The key of one stream of frames. `salt` is chosen anew for each, by whoever reads it.
    pub fn frames(&self, purpose: FramesFor, salt: &[u8; 32]) -> FrameKey {
        FrameKey(expand(self.token.bytes(), &[purpose.label(), salt]))
    }
}

impl FromStr for GatewayCredential {
    type Err = BadGatewayCredential;

    fn from_str(text: &str) -> Result<Self, BadGatewayCredential> {
        let (gateway, token) = text.trim().split_once('.').ok_or(BadGatewayCredential)?;
        let gateway = gateway.parse().map_err(|_| BadGatewayCredential)?;
        Ok(Self { gateway, token: token.parse().map_err(|_| BadGatewayCredential)? })
    }
}

/// What a stream of frames is for. A frame of one never opens in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramesFor {
    /// The way from the control plane to a gateway.
    Feed,
    /// The gateway's disk.
    Disk,
}

impl FramesFor {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Feed => b"gatewarden feed v1",
            Self::Disk => b"gatewarden kept feed v1",
        }
    }
}

/// Seals the frames of one stream (XChaCha20-Poly1305). Each has a number, which is its nonce, so that the key must never
/// serve two streams.
pub struct FrameKey([u8; 32]);

impl FrameKey {
    /// How much longer a sealed frame is, in bytes.
    pub const TAG: usize = 16;

    /// Frame `number` with its flag.
    pub fn seal(&self, number: u64, flag: u8, plain: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: &[flag] };
        // The cipher refuses only what is longer than 256 GiB; nothing then opens.
        self.cipher().encrypt(&nonce(number), payload).unwrap_or_default()
    }

    /// What is in frame `number`.
    ///
    /// # Errors
    /// For anything that was not sealed with this key, as this frame, with this flag.
    pub fn open(&self, number: u64, flag: u8, sealed: &[u8]) -> Result<Vec<u8>, Unopened> {
        let payload = Payload { msg: sealed, aad: &[flag] };
        self.cipher().decrypt(&nonce(number), payload).map_err(|_| Unopened)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

fn nonce(number: u64) -> XNonce {
    let mut nonce = [0; 24];
    for (to, from) in nonce.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    XNonce::from(nonce)
}

impl fmt::Debug for FrameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Drop for FrameKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
