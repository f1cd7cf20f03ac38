//! Sealed frames: a length, a flag, and a piece of a message that opens with one key at one place of the stream.
//!
//! Each frame is `length (4 bytes, big-endian) | flag (1 byte) | sealed piece`. The length counts what follows it. The
//! flag is 1 where the message goes on in the next frame. The piece is sealed with XChaCha20-Poly1305 under the stream's
//! own key; the number of the frame and the flag are authenticated with it, so that a frame which is left out, repeated,
//! or moved does not open.

use gatewarden_credentials::FrameKey;

use crate::{FeedEvent, wire};

/// The longest piece of a message in one frame, in bytes.
const PIECE: usize = 256 * 1024;
/// The longest message, in bytes: a base with about half a million keys.
const LONGEST: usize = 256 * 1024 * 1024;
/// How many bytes stand before the sealed piece.
const HEAD: usize = 5;

/// Why nothing more is read from a stream. What was read before it stays good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// It was changed, left out, repeated, moved, or sealed for somebody else.
    #[error("frame {0} does not open: it was changed on the way, or is not meant for this gateway")]
    Shut(u64),
    /// It, or the message it is a part of, is longer than any that is sent.
    #[error("frame {0} is longer than any that is sent")]
    TooLong(u64),
    /// What is in it is no event that this release knows.
    #[error("frame {number} holds no event that this release reads: {problem}")]
    Unreadable {
        /// The frame's place in the stream, from 0.
        number: u64,
        /// What is wrong with it.
        problem: String,
    },
}

/// Why an event is not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// It is longer than the other side would take.
    #[error(
        "the organization's policy is too large for a gateway on another host, at most 256 MiB: remove what is no longer \
         used, such as old keys, or have its calls made through the control plane's own gateway"
    )]
    TooLong,
    /// It has something that the form cannot hold.
    #[error("the organization's policy cannot be written for a gateway on another host: {0}; please report this")]
    Unwritable(String),
}

/// Writes events as frames.
#[derive(Debug)]
pub struct FrameWriter {
    key: FrameKey,
    number: u64,
    longest: usize,
}

impl FrameWriter {
    /// At the beginning of a stream. A key is for one stream alone.
    pub fn new(key: FrameKey) -> Self {
        Self { key, number: 0, longest: LONGEST }
    }

    /// The frames of an event.
    ///
    /// # Errors
    /// When it is too long, or has what cannot be written; the stream goes on without it.
    pub fn event(&mut self, event: &FeedEvent) -> Result<Vec<u8>, NotWritten> {
        let message = wire::write(event).map_err(|bad| NotWritten::Unwritable(bad.to_string()))?;
        if message.len() > self.longest {
            return Err(NotWritten::TooLong);
        }
        let mut pieces = message.chunks(PIECE).peekable();
        let mut frames = Vec::with_capacity(message.len() + 64);
        while let Some(piece) = pieces.next() {
            frames.extend(self.frame(piece, pieces.peek().is_some()));
        }
        Ok(frames)
    }

    fn frame(&mut self, piece: &[u8], more: bool) -> Vec<u8> {
        let sealed = self.key.seal(self.number, u8::from(more), piece);
        self.number += 1;
        // A piece and its tag are far below 4 GiB.
        let length = u32::try_from(sealed.len() + 1).unwrap_or(u32::MAX);
        [&length.to_be_bytes(), [u8::from(more)].as_slice(), &sealed].concat()
    }
}

/// Reads events from frames, however they are cut on the way.
#[derive(Debug)]
pub struct FrameReader {
    key: FrameKey,
    number: u64,
    /// What came, and how much of it was read. The rest is no whole frame yet.
    came: Vec<u8>,
    read: usize,
    /// What was opened and is no whole message yet.
    message: Vec<u8>,
}

impl FrameReader {
    /// At the beginning of a stream.
    pub fn new(key: FrameKey) -> Self {
        Self { key, number: 0, came: Vec::new(), read: 0, message: Vec::new() }
    }

    /// Takes what came.
    pub fn push(&mut self, bytes: &[u8]) {
        // Once for each piece and not for each frame: a kept policy is one piece with a great many.
        self.came.drain(..self.read);
        self.read = 0;
        self.came.extend_from_slice(bytes);
    }

    /// The next event; none until more comes.
    ///
    /// # Errors
    /// For what cannot be trusted or read. Nothing after it can be either.
    #[expect(clippy::should_implement_trait, reason = "no iterator: it goes on after none, and ends with an error")]
    pub fn next(&mut self) -> Result<Option<FeedEvent>, BadFrame> {
        while let Some((more, sealed)) = self.whole()? {
            let number = self.number;
            let piece = self.key.open(number, more, &sealed).map_err(|_| BadFrame::Shut(number))?;
            self.number += 1;
            self.message.extend(piece);
            if self.message.len() > LONGEST {
                return Err(BadFrame::TooLong(number));
            }
            if more == 0 {
                let message = std::mem::take(&mut self.message);
                return wire::read(&message).map(Some).map_err(|problem| BadFrame::Unreadable { number, problem });
            }
        }
        Ok(None)
    }

    /// Whether a part of a frame or of a message waits for the rest.
    pub fn within(&self) -> bool {
        self.came.len() > self.read || !self.message.is_empty()
    }

    /// The next whole frame: its flag and its sealed piece.
    fn whole(&mut self) -> Result<Option<(u8, Vec<u8>)>, BadFrame> {
        let unread = self.came.get(self.read..).unwrap_or_default();
        let Some((length, rest)) = unread.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > PIECE + HEAD + FrameKey::TAG {
            return Err(BadFrame::TooLong(self.number));
        }
        let Some((frame, _)) = rest.split_at_checked(length) else { return Ok(None) };
        let Some((flag, sealed)) = frame.split_first() else { return Err(BadFrame::Shut(self.number)) };
        let whole = (*flag, sealed.to_vec());
        self.read += 4 + length;
        Ok(Some(whole))
    }
}

#[cfg(test)]
mod tests {
    use gatewarden_credentials::{FramesFor, GatewayCredential, Token};
    use gatewarden_types::{Entropy, Id};
    use uuid::Uuid;

    use super::*;

    fn key() -> FrameKey {
        let token = Token::generate(&Entropy::new(|bytes| bytes.fill(1)));
        GatewayCredential::new(Id::from_uuid(Uuid::from_u128(1)), token).frames(FramesFor::Feed, &[2; 32])
    }

    #[test]
    fn a_stream_goes_on_without_an_event_that_is_too_long() {
        let behind = |problem: String| FeedEvent::Behind { organization: Id::from_uuid(Uuid::from_u128(1)), problem };
        let mut writer = FrameWriter { longest: 200, ..FrameWriter::new(key()) };
        let mut reader = FrameReader::new(key());
        assert_eq!(writer.event(&behind("x".repeat(200))), Err(NotWritten::TooLong));
        let told = behind("it is too large".to_owned());
        reader.push(&writer.event(&told).unwrap());
        assert_eq!(reader.next(), Ok(Some(told)));
        // A gateway says no more of a problem than this.
        assert!(NotWritten::TooLong.to_string().len() < 250);
    }
}
