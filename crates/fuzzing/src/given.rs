//! The gateway and the organization of these checks, and the feed between them.

use base64::{Engine, engine::general_purpose::STANDARD};
use gatewarden_credentials::{FrameKey, FramesFor, GatewayCredential, Token};
use gatewarden_feed::{BadFrame, FeedEvent, FrameReader};
use gatewarden_gateway::{Follower, SealingKeys};
use gatewarden_trail::Entry;
use gatewarden_types::{Entropy, Id, Organization, Timestamp};
use serde_json::json;
use uuid::Uuid;

/// The salt of every stream of frames here.
pub const SALT: [u8; 32] = [5; 32];
/// How much of a message is put in one frame: little, so that messages of several frames are tried as well.
const PIECE: usize = 512;

pub fn organization() -> Id<Organization> {
    Id::from_uuid(Uuid::from_u128(1))
}

pub fn credential() -> GatewayCredential {
    let token = Token::generate(&Entropy::new(|bytes| bytes.fill(7)));
    GatewayCredential::new(Id::from_uuid(Uuid::from_u128(9)), token)
}

pub fn key(purpose: FramesFor) -> FrameKey {
    credential().frames(purpose, &SALT)
}

/// The frames of what somebody who has the key may send: each line of an input is one message. An entry may be given as
/// it is, in JSON, and need not be canonical.
pub fn frames(purpose: FramesFor, input: &[u8]) -> Vec<u8> {
    let (key, mut frames, mut number) = (key(purpose), Vec::new(), 0);
    for line in input.split(|byte| *byte == b'\n') {
        let message = entry(line).unwrap_or_else(|| line.to_vec());
        let mut pieces = message.chunks(PIECE).peekable();
        while let Some(piece) = pieces.next() {
            let more = u8::from(pieces.peek().is_some());
            let sealed = key.seal(number, more, piece);
            frames.extend(u32::try_from(sealed.len() + 1).unwrap().to_be_bytes());
            frames.push(more);
            frames.extend(sealed);
            number += 1;
        }
    }
    frames
}

/// The message of an entry that is given in JSON. A fuzzer would have to keep base64 and the canonical form otherwise.
fn entry(line: &[u8]) -> Option<Vec<u8>> {
    let bytes = serde_json::from_slice::<Entry>(line).ok()?.to_bytes().ok()?;
    let (organization, entry) = (organization(), STANDARD.encode(bytes));
    let message = json!({"event": "entry", "organization": organization, "entry": entry, "bodies": []});
    Some(message.to_string().into_bytes())
}

/// The events that can be read of a stream, and why it ends where it does.
pub fn read(reader: &mut FrameReader) -> (Vec<FeedEvent>, Option<BadFrame>) {
    let mut events = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(bad) => return (events, Some(bad)),
        }
    }
}

/// Lets a gateway follow these events, and the time go by between them. Two that follow the same events have the same
/// policy.
pub fn follow(events: &[FeedEvent]) {
    let keys = || SealingKeys::Each([(organization(), credential().sealing())].into());
    let (mut one, mut other) = (Follower::new(keys()), Follower::new(keys()));
    for event in events {
        if let Some(alarm) = one.step(event.clone()) {
            assert_eq!(one.snapshot().problem(alarm.organization), Some(&alarm.problem));
        }
        other.step(event.clone());
        assert_eq!(one.snapshot(), other.snapshot());
        for micros in [i64::MIN, 0, i64::MAX] {
            one.tick(Timestamp::from_micros(micros));
            one.is_cut_off(Timestamp::from_micros(micros));
        }
        other.tick(Timestamp::from_micros(i64::MAX));
        assert_eq!(one.snapshot(), other.snapshot());
    }
}
