use std::fmt;

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use gatewarden_types::{CredentialRef, Entropy, Id, Organization, Provider};
use zeroize::Zeroize;

use crate::{Secret, digest};

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// The longest secret that is sealed, in bytes.
const LONGEST: usize = 16 * 1024;

/// Seals provider secrets at rest (XChaCha20-Poly1305) and opens them again where they are used.
pub struct SealingKey([u8; 32]);

/// A sealed secret: a version byte, a random nonce of 24 bytes, the encrypted secret with its tag.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

/// What a secret is sealed for. Opened for anything else, even with the right key, it stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedFor {
    /// The secret that opens one provider of one organization.
    ProviderCredential {
        /// The organization it belongs to.
        organization: Id<Organization>,
        /// The provider it opens.
        provider: Id<Provider>,
    },
}

/// The sealed secret could not be opened: another key, another purpose, an unknown version, or a changed byte.
/// Which of these it is, nobody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The stored secret cannot be opened. Was the installation's secret key replaced? Enter the secret again.")]
pub struct Unopened;

impl SealedFor {
    /// The associated data: authenticated with the secret, not stored in it. Every part has a fixed length.
    fn binding(&self) -> Vec<u8> {
        let Self::ProviderCredential { organization, provider } = self;
        let purpose: &[u8] = b"gatewarden/sealed/1/provider-credential/";
        [purpose, organization.uuid().as_bytes(), provider.uuid().as_bytes()].concat()
    }
}

impl Sealed {
    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes as they were stored; whether they hold anything is found when they are opened.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// How a provider record names it.
    pub fn reference(&self) -> CredentialRef {
        CredentialRef(digest(&self.0))
    }
}

impl SealingKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }

    /// Seals `secret` for one purpose.
    ///
    /// # Errors
    /// When the secret is longer than 16 KiB.
    pub fn seal(&self, secret: &Secret<String>, purpose: SealedFor, entropy: &Entropy) -> Result<Sealed, TooLong> {
        let nonce: [u8; NONCE] = entropy.bytes();
        if secret.expose().len() > LONGEST {
            return Err(TooLong);
        }
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &purpose.binding() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| TooLong)?;
        Ok(Sealed([&[VERSION], nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what was sealed with this key for this purpose.
    ///
    /// # Errors
    /// For anything else.
    pub fn open(&self, sealed: &Sealed, purpose: SealedFor) -> Result<Secret<String>, Unopened> {
        let (version, rest) = sealed.0.split_first().ok_or(Unopened)?;
        let (nonce, message) = rest.split_first_chunk::<NONCE>().ok_or(Unopened)?;
        if *version != VERSION || message.len() > LONGEST + TAG {
            return Err(Unopened);
        }
        let payload = Payload { msg: message, aad: &purpose.binding() };
        let mut secret = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| Unopened)?;
        let text = std::str::from_utf8(&secret).map(str::to_owned).map_err(|_| Unopened);
        secret.zeroize();
        text.map(Secret::new)
    }
}

/// The secret is longer than 16 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The secret is too long: at most 16,384 bytes.")]
pub struct TooLong;

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl Clone for SealingKey {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl Drop for SealingKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const KEY: SealingKey = SealingKey([9; 32]);

    fn purpose(organization: u128, provider: u128) -> SealedFor {
        SealedFor::ProviderCredential {
            organization: Id::from_uuid(Uuid::from_u128(organization)),
            provider: Id::from_uuid(Uuid::from_u128(provider)),
        }
    }

    fn seal(text: &str, nonce: u8) -> Sealed {
        let entropy = Entropy::new(move |bytes| bytes.fill(nonce));
        KEY.seal(&Secret::new(text.to_owned()), purpose(1, 2), &entropy).expect("short enough")
    }

    #[test]
    fn a_secret_opens_for_its_purpose_and_key_alone() {
        let sealed = seal("sk-upstream", 1);
        assert_eq!(KEY.open(&sealed, purpose(1, 2)).map(|s| s.expose().clone()), Ok("sk-upstream".to_owned()));
        for other in [purpose(2, 1), purpose(1, 1), purpose(2, 2)] {
            assert_eq!(KEY.open(&sealed, other).map(drop), Err(Unopened));
        }
        assert_eq!(SealingKey([8; 32]).open(&sealed, purpose(1, 2)).map(drop), Err(Unopened));
        assert_ne!(sealed.reference(), seal("sk-upstream", 2).reference(), "the nonce counts");
    }

    #[test]
    fn what_is_stored_does_not_contain_the_secret() {
        let sealed = seal("sk-upstream", 1);
        assert!(!sealed.as_bytes().windows(4).any(|four| four == b"sk-u"));
        assert_eq!(format!("{sealed:?} {KEY:?}"), format!("Sealed({} bytes) [secret]", sealed.as_bytes().len()));
    }

    #[test]
    fn a_secret_too_long_is_refused() {
        let long = Secret::new("x".repeat(LONGEST + 1));
        assert_eq!(KEY.seal(&long, purpose(1, 2), &Entropy::new(|_| ())), Err(TooLong));
    }

    proptest! {
        #[test]
        fn any_changed_bit_shuts_it(text in ".{0,60}", bit in any::<prop::sample::Index>()) {
            let sealed = seal(&text, 3);
            let mut bytes = sealed.as_bytes().to_vec();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(KEY.open(&Sealed::from_bytes(bytes), purpose(1, 2)).is_err());
        }

        #[test]
        fn no_bytes_are_too_strange_to_refuse(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(KEY.open(&Sealed::from_bytes(bytes), purpose(1, 2)).is_err());
        }
    }
}
