//! Checkpoints: signed tree heads in the form of C2SP tlog-checkpoint and signed-note, with Ed25519.
//!
//! <https://c2sp.org/tlog-checkpoint> and <https://c2sp.org/signed-note>.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

use crate::Hash;

/// The signature type of Ed25519 in signed-note.
const ED25519_TYPE: u8 = 1;

/// A tree head: which log, how many entries, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, without spaces or plus signs.
    pub origin: String,
    /// How many entries the tree holds.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// The text is not a checkpoint that this key signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// It is not in the form of a checkpoint.
    #[error("not a checkpoint")]
    Form,
    /// It is of another log.
    #[error("a checkpoint of another log")]
    Origin,
    /// No signature of the key is on it, or the signature is wrong.
    #[error("not signed by this log's key")]
    Signature,
}

/// Signs checkpoints. One key signs for every trail of an installation; the origin tells them apart.
pub struct Signer {
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", STANDARD.encode(self.pair.public_key()))
    }
}

/// The public half of a [`Signer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(pub [u8; 32]);

impl Signer {
    /// The signer whose Ed25519 seed this is.
    ///
    /// # Errors
    /// When the cryptographic library refuses the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, BadCheckpoint> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| BadCheckpoint::Signature)?;
        Ok(Self { pair })
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        let mut key = [0; 32];
        key.iter_mut().zip(self.pair.public_key().as_ref()).for_each(|(to, from)| *to = *from);
        VerifyingKey(key)
    }

    /// The signed note of `checkpoint`.
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let mut signature = self.verifying_key().key_hash(&checkpoint.origin).to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", checkpoint.origin, STANDARD.encode(signature))
    }
}

impl VerifyingKey {
    fn key_hash(self, name: &str) -> [u8; 4] {
        let digest =
            Sha256::new().chain_update(name).chain_update([b'\n', ED25519_TYPE]).chain_update(self.0).finalize();
        let [a, b, c, d, ..]: [u8; 32] = digest.into();
        [a, b, c, d]
    }

    /// The key in signed-note form (`name+hash+base64`), as other verifiers take it.
    pub fn note_form(self, origin: &str) -> String {
        let hash = u32::from_be_bytes(self.key_hash(origin));
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(&self.0);
        format!("{origin}+{hash:08x}+{}", STANDARD.encode(key))
    }

    /// Reads a signed note and checks that this key signed it for `origin`. Signatures of others are passed over.
    ///
    /// # Errors
    /// When it is malformed, of another log, or not signed by this key.
    pub fn open(self, note: &str, origin: &str) -> Result<Checkpoint, BadCheckpoint> {
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(BadCheckpoint::Form)?;
        let text = format!("{text}\n");
        let checkpoint = Checkpoint::parse(&text)?;
        if checkpoint.origin != origin {
            return Err(BadCheckpoint::Origin);
        }
        let hash = self.key_hash(origin);
        let signed = signatures.lines().filter_map(|line| {
            let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            let signature = STANDARD.decode(signature).ok()?;
            (name == origin).then_some(signature)
        });
        let by_me = |bytes: Vec<u8>| {
            let public = UnparsedPublicKey::new(&ED25519, self.0);
            bytes.strip_prefix(&hash).is_some_and(|signature| public.verify(text.as_bytes(), signature).is_ok())
        };
        if signed.into_iter().any(by_me) { Ok(checkpoint) } else { Err(BadCheckpoint::Signature) }
    }
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    fn parse(text: &str) -> Result<Self, BadCheckpoint> {
        let mut lines = text.lines();
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(BadCheckpoint::Form);
        let (origin, size, root) = (line()?, line()?, line()?);
        let number = size.parse::<u64>().map_err(|_| BadCheckpoint::Form)?;
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok()).ok_or(BadCheckpoint::Form)?;
        if number.to_string() == size {
            Ok(Self { origin: origin.to_owned(), size: number, root })
        } else {
            Err(BadCheckpoint::Form)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_opens_for_its_key_and_origin_alone() {
        let signer = Signer::from_seed(&[7; 32]).unwrap();
        let checkpoint = Checkpoint { origin: "gatewarden/x/1".into(), size: 3, root: [9; 32] };
        let note = signer.sign(&checkpoint);
        let key = signer.verifying_key();
        assert_eq!(key.open(&note, "gatewarden/x/1"), Ok(checkpoint));
        assert_eq!(key.open(&note, "gatewarden/y/1"), Err(BadCheckpoint::Origin));
        assert_eq!(key.open(&note.replace("\n3\n", "\n4\n"), "gatewarden/x/1"), Err(BadCheckpoint::Signature));
        let other = Signer::from_seed(&[8; 32]).unwrap().verifying_key();
        assert_eq!(other.open(&note, "gatewarden/x/1"), Err(BadCheckpoint::Signature));
        let cosigned = format!("{note}\u{2014} witness AAAAAAAA\n");
        assert!(key.open(&cosigned, "gatewarden/x/1").is_ok(), "unknown signatures are passed over");
    }
}
