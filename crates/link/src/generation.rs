//! A generation of the kept policy, as bytes: a line that says what it is, a salt, and the frames of a base and of what
//! came after it.

use gatewarden_credentials::{FrameKey, FramesFor, GatewayCredential};
use gatewarden_feed::{Astray, BadFrame, Course, FeedEvent, FrameReader, FrameWriter};
use gatewarden_types::{Id, Organization, Timestamp};

/// The first line, with the version of the form.
const TITLE: &[u8] = b"gatewarden kept policy 1\n";
/// How many bytes of salt follow it.
const SALT: usize = 32;

/// What a generation says.
#[derive(Debug)]
pub struct Recovered {
    /// The events, which give the policy when they are followed again: a base, and what came after it.
    pub events: Vec<FeedEvent>,
    /// How far they lead.
    pub course: Course,
    /// When the gateway last knew that this was all; none when it never did.
    pub heard: Option<Timestamp>,
    /// Whether it ends within a frame, so that something is missing.
    pub torn: bool,
}

/// Why a generation is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is none, or one of another release.
    #[error("it is not in the form that this release writes")]
    Form,
    /// It was changed, or is another gateway's.
    #[error(transparent)]
    Frame(#[from] BadFrame),
    /// An event of it does not belong there.
    #[error(transparent)]
    Astray(#[from] Astray),
    /// It ends before its base is whole.
    #[error("it ends before the policy is whole")]
    Cut,
}

/// How a generation begins, and what writes its frames.
pub(crate) fn begin(credential: &GatewayCredential, salt: [u8; SALT]) -> (Vec<u8>, FrameWriter) {
    ([TITLE, salt.as_slice()].concat(), FrameWriter::new(key(credential, &salt)))
}

/// Reads a generation. A frame that was cut short at the end is how a program that died leaves it: what came before is good.
/// A frame that does not open is not, and nothing of such a generation is used.
pub(crate) fn read(
    credential: &GatewayCredential,
    organization: Id<Organization>,
    bytes: &[u8],
) -> Result<Recovered, Unusable> {
    let rest = bytes.strip_prefix(TITLE).ok_or(Unusable::Form)?;
    let (salt, frames) = rest.split_first_chunk::<SALT>().ok_or(Unusable::Cut)?;
    let mut reader = FrameReader::new(key(credential, salt));
    reader.push(frames);
    let (mut events, mut course, mut heard) = (Vec::new(), Course::new(organization), None);
    while let Some(event) = reader.next()? {
        course.take(&event)?;
        match event {
            FeedEvent::Current { at, .. } => heard = Some(at),
            event => events.push(event),
        }
    }
    if course.position().is_none() {
        return Err(Unusable::Cut);
    }
    Ok(Recovered { events, course, heard, torn: reader.within() })
}

fn key(credential: &GatewayCredential, salt: &[u8; SALT]) -> FrameKey {
    credential.frames(FramesFor::Disk, salt)
}
