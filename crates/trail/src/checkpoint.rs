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

/// The text is not the key of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a log's key: one is written name+hash+key in one line, with an Ed25519 key, and hash and key fit")]
pub struct BadKey;

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

    /// Reads what [`VerifyingKey::note_form`] wrote: the log's name and its key.
    ///
    /// # Errors
    /// When it is another text, or its hash is not that of its name and key.
    pub fn from_note_form(text: &str) -> Result<(String, Self), BadKey> {
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(BadKey);
        let (name, _, encoded) = (part()?, part()?, part()?);
        let bytes = STANDARD.decode(encoded).map_err(|_| BadKey)?;
        let key = bytes.strip_prefix(&[ED25519_TYPE]).and_then(|key| key.try_into().ok()).map(Self).ok_or(BadKey)?;
        if is_name(name) && key.note_form(name) == text { Ok((name.to_owned(), key)) } else { Err(BadKey) }
    }

    /// Reads a signed note and checks that this key signed it for `origin`. Signatures of others are passed over, but
    /// they have to be in form.
    ///
    /// # Errors
    /// When it is malformed, of another log, or not signed by this key.
    pub fn open(self, note: &str, origin: &str) -> Result<Checkpoint, BadCheckpoint> {
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(BadCheckpoint::Form);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(BadCheckpoint::Form)?;
        let text = format!("{text}\n");
        let checkpoint = Checkpoint::parse(&text)?;
        if checkpoint.origin != origin {
            return Err(BadCheckpoint::Origin);
        }
        let hash = self.key_hash(origin);
        let public = UnparsedPublicKey::new(&ED25519, self.0);
        let mut signed = false;
        for line in signatures.strip_suffix('\n').ok_or(BadCheckpoint::Form)?.split('\n') {
            let (name, bytes) = signature(line).ok_or(BadCheckpoint::Form)?;
            let Some(mine) = bytes.strip_prefix(&hash).filter(|_| name == origin) else { continue };
            public.verify(text.as_bytes(), mine).map_err(|_| BadCheckpoint::Signature)?;
            signed = true;
        }
        if signed { Ok(checkpoint) } else { Err(BadCheckpoint::Signature) }
    }
}

/// Whether keys may be called so.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// A line of a note's signatures: who signed, and the key's hash with the signature after it.
fn signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    (is_name(name) && bytes.len() > 4).then_some((name, bytes))
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    fn parse(text: &str) -> Result<Self, BadCheckpoint> {
        let mut lines = text.strip_suffix('\n').ok_or(BadCheckpoint::Form)?.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(BadCheckpoint::Form);
        let (origin, size, root) = (line()?, line()?, line()?);
        // What may follow is opaque, but no line is empty.
        if lines.any(str::is_empty) {
            return Err(BadCheckpoint::Form);
        }
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

    /// Of several texts that a lenient reader would take for the same note, one is taken.
    #[test]
    fn a_note_has_one_form() {
        let signer = Signer::from_seed(&[7; 32]).unwrap();
        let checkpoint = Checkpoint { origin: "gatewarden/x/1".into(), size: 3, root: [9; 32] };
        let (note, key) = (signer.sign(&checkpoint), signer.verifying_key());
        let signed = note.trim_end();
        let (before, last) = signed.trim_end_matches('=').split_at(signed.trim_end_matches('=').len() - 1);
        // The last letter carries bits that decode to nothing.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
        let others = [
            format!("{before}{next}=\n"),
            signed.to_owned(),
            format!("{note}\n"),
            note.replace('\n', "\r\n"),
            format!("{note}\u{2014} witness AAAA\n"),
            format!("{note}- witness AAAAAAAA\n"),
            format!("{note}\u{2014} a+b AAAAAAAA\n"),
        ];
        for other in others {
            assert!(key.open(&other, "gatewarden/x/1").is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_key_reads_back_with_its_name() {
        let key = Signer::from_seed(&[7; 32]).unwrap().verifying_key();
        let text = key.note_form("gatewarden/x/1");
        assert_eq!(VerifyingKey::from_note_form(&text), Ok(("gatewarden/x/1".to_owned(), key)));
        for other in [text.replace("/x/", "/y/"), text.to_uppercase(), format!("{text}\n"), "a+b".into(), String::new()]
        {
            assert_eq!(VerifyingKey::from_note_form(&other), Err(BadKey), "{other:?}");
        }
    }
}
