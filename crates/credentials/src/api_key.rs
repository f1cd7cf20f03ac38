use std::{fmt, str::FromStr};

use gatewarden_types::{Digest, Entropy, Id, Key};
use uuid::Uuid;
use zeroize::Zeroize;

use crate::{Secret, base62, digest, same};

const PREFIX: &str = "gwk_";
const ID: usize = 22;
const SECRET: usize = 43;
const SUM: usize = 6;

/// An API key as its holder has it: `gwk_`, the key's id, 256 secret bits, and a check sum.
///
/// The text is `gwk_` + 22 + 43 + 6 base62 digits (`0-9A-Za-z`, most significant first): the 128 bits of the id, the
/// 256 bits of the secret, and the CRC-32 (IEEE) of the 69 characters before it. Each key has exactly one spelling,
/// so a mistyped one is refused without looking anything up.
pub struct ApiKey {
    id: Id<Key>,
    secret: [u8; 32],
}

/// The text is no API key. It does not say where it fails, so that it cannot be used to guess one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Not an API key: it starts with gwk_ and has 75 characters. Copy it again, whole.")]
pub struct BadApiKey;

impl ApiKey {
    /// How many characters the text of a key has.
    pub const LENGTH: usize = PREFIX.len() + ID + SECRET + SUM;

    /// A new secret for the key `id`.
    pub fn generate(id: Id<Key>, entropy: &Entropy) -> Self {
        Self { id, secret: entropy.bytes() }
    }

    /// Reads the text of a key; the whole text, nothing around it.
    ///
    /// # Errors
    /// For anything that [`ApiKey::text`] would not write.
    pub fn parse(text: &[u8]) -> Result<Self, BadApiKey> {
        Self::read(text).ok_or(BadApiKey)
    }

    fn read(text: &[u8]) -> Option<Self> {
        let (signed, sum) = text.split_at_checked(Self::LENGTH - SUM)?;
        if sum.len() != SUM || base62::decode(sum)? != [u64::from(crc32fast::hash(signed))] {
            return None;
        }
        let (id, secret) = signed.strip_prefix(PREFIX.as_bytes())?.split_at_checked(ID)?;
        let [high, low] = base62::decode(id)?;
        Some(Self { id: Id::from_uuid(Uuid::from_u64_pair(high, low)), secret: bytes(base62::decode(secret)?) })
    }

    /// How the text of the key `id` begins: all that stands before its secret, by which people know it again.
    pub fn beginning(id: Id<Key>) -> String {
        let mut text = String::with_capacity(Self::LENGTH);
        text.push_str(PREFIX);
        let (high, low) = id.uuid().as_u64_pair();
        base62::encode([high, low], ID, &mut text);
        text
    }

    /// The text to show once, to whoever made the key.
    pub fn text(&self) -> Secret<String> {
        let mut text = Self::beginning(self.id);
        base62::encode(limbs(&self.secret), SECRET, &mut text);
        let sum = crc32fast::hash(text.as_bytes());
        base62::encode([u64::from(sum)], SUM, &mut text);
        Secret::new(text)
    }

    /// Which key it claims to be. Nothing is proven until [`ApiKey::matches`] has said so.
    pub fn id(&self) -> Id<Key> {
        self.id
    }

    /// What is stored of it: the SHA-256 of the 32 secret bytes, big-endian, without prefix, id or check sum.
    pub fn verifier(&self) -> Digest {
        digest(&self.secret)
    }

    /// Whether this is the key that `verifier` was made from, in constant time.
    pub fn matches(&self, verifier: &Digest) -> bool {
        same(&self.verifier(), verifier)
    }
}

impl FromStr for ApiKey {
    type Err = BadApiKey;

    fn from_str(text: &str) -> Result<Self, BadApiKey> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({})", self.id)
    }
}

impl Drop for ApiKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

fn bytes(limbs: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (eight, limb) in bytes.chunks_exact_mut(8).zip(limbs) {
        eight.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}

fn limbs(bytes: &[u8; 32]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, eight) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = eight.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte));
    }
    limbs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(id: u128, secret: [u8; 32]) -> ApiKey {
        ApiKey { id: Id::from_uuid(Uuid::from_u128(id)), secret }
    }

    /// A fixed example, so that a change of the format cannot go unseen. Computed apart from this code.
    #[test]
    fn the_format_is_what_it_says() {
        let text = key(0, [0; 32]).text();
        assert_eq!(text.expose(), "gwk_000000000000000000000000000000000000000000000000000000000000000000theZv");
        let text = key(u128::MAX, [0xff; 32]).text();
        assert_eq!(text.expose(), "gwk_7n42DGM5Tflk9n8mt7Fhc7yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp10k1Da6");
        assert_eq!(text.expose().len(), ApiKey::LENGTH);
    }

    #[test]
    fn what_is_shown_of_a_key_is_its_id() {
        let key = key(1, [7; 32]);
        assert_eq!(format!("{key:?}"), format!("ApiKey({})", key.id()));
        assert_eq!(key.verifier(), digest(&[7; 32]));
    }

    #[test]
    fn numbers_too_large_for_their_field_are_refused() {
        for (id, secret) in [("z".repeat(22), "0".repeat(43)), ("0".repeat(22), "z".repeat(43))] {
            let mut text = format!("gwk_{id}{secret}");
            let sum = crc32fast::hash(text.as_bytes());
            base62::encode([u64::from(sum)], SUM, &mut text);
            assert!(text.parse::<ApiKey>().is_err());
        }
    }

    proptest! {
        #[test]
        fn a_key_survives_its_text(id in any::<u128>(), secret in any::<[u8; 32]>()) {
            let key = key(id, secret);
            let text = key.text();
            let read = ApiKey::parse(text.expose().as_bytes()).expect("its own text");
            prop_assert_eq!((read.id, read.secret), (key.id, key.secret));
            prop_assert!(read.matches(&key.verifier()));
            prop_assert!(read.text().expose() == text.expose());
            prop_assert!(text.expose().starts_with(&ApiKey::beginning(key.id)));
        }

        #[test]
        fn any_one_changed_character_is_refused(id in any::<u128>(), secret in any::<[u8; 32]>(), at in 0..ApiKey::LENGTH, other in any::<u8>()) {
            let mut text = key(id, secret).text().expose().clone().into_bytes();
            prop_assume!(text[at] != other);
            text[at] = other;
            prop_assert!(ApiKey::parse(&text).is_err());
        }

        #[test]
        fn a_key_cut_or_lengthened_is_refused(secret in any::<[u8; 32]>(), keep in 0..ApiKey::LENGTH) {
            let text = key(5, secret).text();
            prop_assert!(ApiKey::parse(&text.expose().as_bytes()[..keep]).is_err());
            for changed in [format!("{}0", text.expose()), format!(" {}", text.expose())] {
                prop_assert!(changed.parse::<ApiKey>().is_err());
            }
        }

        #[test]
        fn whatever_parses_is_written_the_same_way(text in "gwk_[0-9A-Za-z]{71}") {
            if let Ok(key) = text.parse::<ApiKey>() {
                prop_assert!(key.text().expose() == &text);
            }
        }

        #[test]
        fn another_secret_does_not_match(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
            prop_assume!(a != b);
            prop_assert!(!key(1, a).matches(&key(1, b).verifier()));
        }
    }
}
