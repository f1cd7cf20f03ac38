use std::{fmt, str::FromStr};

use gatewarden_types::{Entropy, Id, Organization};
use ring::hmac;
use zeroize::Zeroize;

use crate::{SealingKey, Secret};

/// The installation's one secret: 32 bytes, kept in `secret.key` or `GATEWARDEN_SECRET_KEY` as 64 hexadecimal digits.
///
/// It is never used as it is. Each use has a key of its own, derived under a label (HKDF-SHA256), so that one use
/// cannot answer for another.
pub struct RootKey([u8; 32]);

/// The text is no root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The secret key has to be 64 hexadecimal digits (32 random bytes), such as `openssl rand -hex 32` prints.")]
pub struct BadRootKey;

impl RootKey {
    /// A new root key.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// The text to keep in `secret.key`.
    pub fn text(&self) -> Secret<String> {
        Secret::new(gatewarden_types::Digest(self.0).to_string())
    }

    /// What seals provider secrets.
    pub fn sealing(&self) -> SealingKey {
        SealingKey::new(self.derive(&[b"gatewarden sealing v1"]))
    }

    /// What signs the values that a browser carries for us: form tokens and notices.
    pub fn cookies(&self) -> CookieKey {
        let mut bytes = self.derive(&[b"gatewarden cookies v1"]);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        bytes.zeroize();
        CookieKey(key)
    }

    /// The seed of the Ed25519 key that signs an organization's checkpoints.
    pub fn trail_seed(&self, organization: Id<Organization>) -> Secret<[u8; 32]> {
        Secret::new(self.derive(&[b"gatewarden trail v1", organization.uuid().as_bytes()]))
    }

    fn derive(&self, label: &[&[u8]]) -> [u8; 32] {
        expand(&self.0, label)
    }
}

/// The first block of HKDF-Expand (RFC 5869), which is all that 32 bytes take. The step before it, Extract, is for
/// secrets that are not evenly random; these are.
pub(crate) fn expand(secret: &[u8; 32], label: &[&[u8]]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    tag(&key, &[&label.concat(), [1].as_slice()].concat())
}

fn tag(key: &hmac::Key, message: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(hmac::sign(key, message).as_ref()) {
        *to = *from;
    }
    bytes
}

impl FromStr for RootKey {
    type Err = BadRootKey;

    fn from_str(text: &str) -> Result<Self, BadRootKey> {
        let text = text.trim();
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BadRootKey);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| BadRootKey)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| BadRootKey)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Drop for RootKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Signs what a browser carries for us (HMAC-SHA256), so that it comes back as it was sent.
#[derive(Clone)]
pub struct CookieKey(hmac::Key);

impl CookieKey {
    /// The signature of `value` for one `purpose`; a signature for another purpose never fits.
    pub fn sign(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        tag(&self.0, &Self::message(purpose, value))
    }

    /// Whether `signature` is the one of `value` for `purpose`, in constant time.
    pub fn verify(&self, purpose: &str, value: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.0, &Self::message(purpose, value), signature).is_ok()
    }

    /// The purpose's length stands first, so that purpose and value cannot be cut at another place.
    fn message(purpose: &str, value: &[u8]) -> Vec<u8> {
        let length = (purpose.len() as u64).to_be_bytes();
        [&length, purpose.as_bytes(), value].concat()
    }
}

impl fmt::Debug for CookieKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn org(bits: u128) -> Id<Organization> {
        Id::from_uuid(Uuid::from_u128(bits))
    }

    #[test]
    fn a_root_key_survives_its_text() {
        let key = RootKey([0xab; 32]);
        let read: RootKey = format!("{}\n", key.text().expose()).parse().expect("its own text");
        assert_eq!(read.0, key.0);
        for bad in ["", "ab", &"g".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert!(bad.parse::<RootKey>().is_err(), "{bad}");
        }
        assert_eq!(format!("{key:?}"), "[secret]");
    }

    #[test]
    fn each_use_has_its_own_key() {
        let (one, two) = (RootKey([1; 32]), RootKey([2; 32]));
        let seed = |root: &RootKey, of: u128| *root.trail_seed(org(of)).expose();
        assert_eq!(seed(&one, 1), seed(&one, 1));
        assert_ne!(seed(&one, 1), seed(&one, 2));
        assert_ne!(seed(&one, 1), seed(&two, 1));
        assert_ne!(one.derive(&[b"gatewarden sealing v1"]), one.derive(&[b"gatewarden cookies v1"]));
    }

    #[test]
    fn a_signature_is_good_for_its_value_and_purpose_alone() {
        let key = RootKey([1; 32]).cookies();
        let signature = key.sign("notice", b"saved");
        assert!(key.verify("notice", b"saved", &signature));
        assert!(!key.verify("notice", b"saved!", &signature));
        assert!(!key.verify("form", b"saved", &signature));
        assert!(!key.verify("notices", b"aved", &signature), "the border between purpose and value is part of it");
        assert!(!RootKey([2; 32]).cookies().verify("notice", b"saved", &signature));
    }
}
