//! What must hold of any bytes that come from outside: one check for each reader of such bytes, which panics where it does
//! not hold. The fuzz targets of `fuzz/` feed them with what a fuzzer thinks up, and the tests here with the corpora in
//! `fuzz/corpus`, in which every input that once broke something stays.
#![warn(missing_docs)]
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "nothing that is shipped: a panic is how a check says what does not hold"
)]

mod calls;
mod feed;
mod given;
mod kept;
mod keys;
mod trail;

pub use calls::{chat_body, messages_body, sse};
pub use feed::{feed_event, feed_frames, usage_batch};
pub use kept::kept_policy;
pub use keys::{gateway_credential, key_text};
pub use trail::{checkpoint, proof_and_tiles};

/// What a check is: it takes any bytes.
pub type Check = fn(&[u8]);

/// Every check, by the name of its fuzz target and of its corpus.
pub const CHECKS: [(&str, Check); 11] = [
    ("key_text", key_text),
    ("gateway_credential", gateway_credential),
    ("checkpoint", checkpoint),
    ("proof_and_tiles", proof_and_tiles),
    ("feed_frames", feed_frames),
    ("kept_policy", kept_policy),
    ("feed_event", feed_event),
    ("usage_batch", usage_batch),
    ("sse", sse),
    ("chat_body", chat_body),
    ("messages_body", messages_body),
];

/// Takes the next `N` bytes off an input; zeros stand for what is not there.
fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    let (first, rest) = bytes.split_at(N.min(bytes.len()));
    taken.iter_mut().zip(first).for_each(|(to, from)| *to = *from);
    *bytes = rest;
    taken
}

/// Something was changed on its way or on the disk.
struct Change {
    kind: u8,
    at: usize,
    by: u8,
}

impl Change {
    /// The change that the next four bytes of an input stand for.
    fn take(bytes: &mut &[u8]) -> Self {
        let [kind, high, low, by] = take(bytes);
        Self { kind, at: usize::from(u16::from_be_bytes([high, low])), by }
    }

    /// Makes it: nothing, a byte, the end cut off, or bytes put in.
    fn make(&self, bytes: &mut Vec<u8>) {
        let at = self.at % (bytes.len() + 1);
        match self.kind % 4 {
            0 => {}
            1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= self.by),
            2 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, std::iter::repeat_n(self.by, 1 + usize::from(self.by % 9)))),
        }
    }
}
