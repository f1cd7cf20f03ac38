//! What a gateway finds on its disk.

use std::{fs, sync::Arc};

use gatewarden_credentials::FramesFor;
use gatewarden_feed::{FeedEvent, FrameReader};
use gatewarden_link::Disk;
use gatewarden_types::Entropy;

use crate::{
    Change,
    given::{SALT, credential, follow, frames, key, organization, read},
};

/// How a kept policy begins.
const TITLE: &[u8] = b"gatewarden kept policy 1\n";

/// A policy that was kept on disk and changed there: what comes back of it is how it began, or nothing, and can be
/// followed.
pub fn kept_policy(bytes: &[u8]) {
    let mut rest = bytes;
    let change = Change::take(&mut rest);
    let frames = frames(FramesFor::Disk, rest);
    let mut kept = [TITLE, SALT.as_slice(), &frames].concat();
    change.make(&mut kept);
    let mut reader = FrameReader::new(key(FramesFor::Disk));
    reader.push(&frames);
    let mut written = read(&mut reader).0;
    written.retain(|event| !matches!(event, FeedEvent::Current { .. }));
    if let Some(events) = found(&kept) {
        assert!(written.starts_with(&events), "more came back than was kept");
        follow(&events);
    }
    // And a file that somebody without the key made up.
    assert!(found(bytes).is_none());
}

/// The policy that a gateway starts with whose only generation on disk is this.
fn found(kept: &[u8]) -> Option<Vec<FeedEvent>> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("policy-1"), kept).expect("writes");
    let entropy = Entropy::new(|bytes| bytes.fill(3));
    let start = Disk::open(folder.path(), Arc::new(credential()), organization(), entropy).1;
    assert!(start.recovered.is_some() || !start.problems.is_empty(), "nothing is wrong, and nothing came back");
    start.recovered.map(|recovered| recovered.events)
}
