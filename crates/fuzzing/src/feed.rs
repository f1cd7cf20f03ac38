//! What travels between the planes.

use gatewarden_credentials::FramesFor;
use gatewarden_feed::{Course, FrameReader, FrameWriter, usage_batch as batch};

use crate::{
    Change,
    given::{follow, frames, key, organization, read},
    take,
};

/// Frames of a feed that were changed on the way, in pieces of any size: what opens is what was written, up to the first
/// change.
pub fn feed_frames(bytes: &[u8]) {
    let mut rest = bytes;
    let (change, [size]) = (Change::take(&mut rest), take::<1>(&mut rest));
    let written = frames(FramesFor::Feed, rest);
    let mut whole = FrameReader::new(key(FramesFor::Feed));
    whole.push(&written);
    let (expected, end) = read(&mut whole);
    let mut changed = written.clone();
    change.make(&mut changed);
    let (mut reader, mut came, mut why) = (FrameReader::new(key(FramesFor::Feed)), Vec::new(), None);
    for piece in changed.chunks(1 + usize::from(size)) {
        reader.push(piece);
        let (events, bad) = read(&mut reader);
        came.extend(events);
        why = bad;
        if why.is_some() {
            break;
        }
    }
    assert!(expected.starts_with(&came), "more was read than was written");
    if changed == written {
        assert_eq!((came.len(), why), (expected.len(), end));
    }
    // And a stream that is nothing but what somebody without the key made up.
    let mut reader = FrameReader::new(key(FramesFor::Feed));
    reader.push(bytes);
    assert!(read(&mut reader).0.is_empty());
}

/// Messages of a control plane, each a line: what is read of them is written the same again, and whoever follows takes it
/// or refuses it.
pub fn feed_event(bytes: &[u8]) {
    let mut course = Course::new(organization());
    let mut events = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut reader = FrameReader::new(key(FramesFor::Feed));
        reader.push(&frames(FramesFor::Feed, line));
        let Some(event) = read(&mut reader).0.pop() else { continue };
        let mut again = FrameReader::new(key(FramesFor::Feed));
        again.push(&FrameWriter::new(key(FramesFor::Feed)).event(&event).expect("as long as it came"));
        assert_eq!(read(&mut again).0.as_slice(), std::slice::from_ref(&event));
        let before = course.position();
        if course.take(&event).is_err() {
            assert_eq!(course.position(), before);
        }
        events.push(event);
    }
    follow(&events);
}

/// Usage: what is read of them is written the same again.
pub fn usage_batch(bytes: &[u8]) {
    let Ok(records) = batch::decode(bytes) else { return };
    let written = batch::encode(&records);
    assert_eq!(batch::decode(&written).expect("what was written is read"), records);
    assert_eq!(batch::encode(&records), written);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A seed that is refused at once leads a fuzzer nowhere.
    #[test]
    fn every_message_of_the_seed_is_read() {
        let seed = include_bytes!("../../../fuzz/corpus/feed_event/seed-policy");
        for line in seed.split(|byte| *byte == b'\n') {
            let mut reader = FrameReader::new(key(FramesFor::Feed));
            reader.push(&frames(FramesFor::Feed, line));
            let (events, bad) = read(&mut reader);
            assert_eq!((events.len(), bad), (1, None), "{}", String::from_utf8_lossy(line));
        }
    }
}
