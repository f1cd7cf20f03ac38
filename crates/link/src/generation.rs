//! A generation of the kept policy, as bytes: a line that says what it is, its number, a salt, and the frames of a base and of
//! what came after it. The key of the frames follows from number and salt.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use gatewarden_credentials::{FrameKey, FramesFor, GatewayCredential};
use gatewarden_feed::{Astray, BadFrame, Course, FeedEvent, FrameReader, FrameWriter};
use gatewarden_types::{Id, Organization, Seq, Timestamp};

/// The first line, with the version of the form.
const TITLE: &[u8] = b"gatewarden kept policy 1\n";
/// How many bytes of number and salt follow it.
const SALT: usize = 32;
/// How many of them are the number, the most significant first.
const NUMBER: usize = 8;

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
    /// Which generation it is: the higher was begun later, whatever the clock said.
    pub(crate) number: u64,
}

impl Recovered {
    /// Epoch and position of its base.
    pub(crate) fn base(&self) -> Option<(u32, Seq)> {
        self.events.first().and_then(FeedEvent::base_at)
    }
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

/// A generation that is to be written.
#[derive(Debug)]
pub struct Generation {
    /// How it begins.
    pub(crate) bytes: Vec<u8>,
    /// What writes the frames after that.
    pub(crate) writer: FrameWriter,
    /// Epoch and position of its base.
    pub(crate) base: Option<(u32, Seq)>,
    pub(crate) number: u64,
}

impl Generation {
    /// The one of this number, which begins with these events.
    ///
    /// # Errors
    /// When one of them is too large for a frame.
    pub(crate) fn of<'a>(
        credential: &GatewayCredential,
        number: u64,
        random: [u8; SALT - NUMBER],
        events: impl IntoIterator<Item = &'a FeedEvent>,
    ) -> io::Result<Self> {
        let mut salt = [0; SALT];
        let (numbered, rest) = salt.split_at_mut(NUMBER);
        numbered.copy_from_slice(&number.to_be_bytes());
        rest.copy_from_slice(&random);
        let (mut bytes, mut base) = ([TITLE, salt.as_slice()].concat(), None);
        let mut writer = FrameWriter::new(key(credential, &salt));
        for event in events {
            base = base.or_else(|| event.base_at());
            bytes.extend(writer.event(event).map_err(io::Error::other)?);
        }
        Ok(Self { bytes, writer, base, number })
    }
}

/// The number that a generation's file says it has.
pub(crate) fn number(file: &Path) -> io::Result<u64> {
    let mut head = [0; TITLE.len() + NUMBER];
    File::open(file)?.read_exact(&mut head)?;
    let number = head.strip_prefix(TITLE).and_then(|number| number.first_chunk());
    number.map(|number| u64::from_be_bytes(*number)).ok_or_else(|| io::ErrorKind::InvalidData.into())
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
    let number = salt.first_chunk().map_or(0, |number| u64::from_be_bytes(*number));
    Ok(Recovered { events, course, heard, torn: reader.within(), number })
}

fn key(credential: &GatewayCredential, salt: &[u8; SALT]) -> FrameKey {
    credential.frames(FramesFor::Disk, salt)
}
