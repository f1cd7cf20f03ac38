//! The policy on disk, in two generations: while one is written the other stays whole.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use gatewarden_credentials::GatewayCredential;
use gatewarden_feed::{FeedEvent, FrameWriter};
use gatewarden_types::{Entropy, Id, Organization, Seq};
use tempfile::NamedTempFile;

use crate::generation::{self, Generation, Recovered};

/// The names of the two generations.
const SLOTS: [&str; 2] = ["policy-1", "policy-2"];
/// Says that the gateway was removed, beside an enrolment that is still needed.
const REMOVED: &str = "removed";
/// How the name of a file begins that is not whole yet.
const DRAFT: &str = "draft-";
/// From how many bytes after the base on a new base is worth its while.
const LONG_TAIL: u64 = 1024 * 1024;

/// Keeps what a gateway takes from the feed.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    organization: Id<Organization>,
    credential: Arc<GatewayCredential>,
    entropy: Entropy,
    /// The slot that holds the best generation.
    slot: usize,
    /// The number of the last generation that was begun.
    number: u64,
    /// Epoch and position of its base.
    base: Option<(u32, Seq)>,
    writing: Option<Writing>,
}

#[derive(Debug)]
struct Writing {
    file: File,
    writer: FrameWriter,
    base: u64,
    tail: u64,
    unsynced: bool,
}

/// What was found on disk at the start.
#[derive(Debug)]
pub struct Start {
    /// The newest policy that can be used; none where there is none.
    pub recovered: Option<Recovered>,
    /// What is wrong on disk: with what cannot be used, and where something is missing.
    pub problems: Vec<String>,
    /// Whether the gateway was removed before, so that no policy is to be expected.
    pub removed: bool,
}

impl Disk {
    /// Reads the generations in `folder`, each checked before it is used. What a kill left half written is removed.
    pub fn open(
        folder: &Path,
        credential: Arc<GatewayCredential>,
        organization: Id<Organization>,
        entropy: Entropy,
    ) -> (Self, Start) {
        let mut problems: Vec<_> = clear(folder).err().into_iter().map(|bad| left_over(folder, &bad)).collect();
        let mut disk = Self {
            folder: folder.to_owned(),
            organization,
            credential,
            entropy,
            slot: 0,
            number: 0,
            base: None,
            writing: None,
        };
        if folder.join(REMOVED).exists() {
            // For good: what is left of the policy is used no more.
            problems.extend(disk.forget().err().map(|bad| left_over(folder, &bad)));
            return (disk, Start { recovered: None, problems, removed: true });
        }
        let best = disk.best(&mut problems);
        if let Some((slot, found)) = &best {
            (disk.slot, disk.number, disk.base) = (*slot, found.number, found.base());
        }
        (disk, Start { recovered: best.map(|(_, found)| found), problems, removed: false })
    }

    /// The better of the two generations, and in which slot it is.
    fn best(&self, problems: &mut Vec<String>) -> Option<(usize, Recovered)> {
        let mut best = None::<(usize, Recovered)>;
        for slot in 0..SLOTS.len() {
            match self.read(slot) {
                Ok(Some(found)) => {
                    if found.torn {
                        let path = self.path(slot).display().to_string();
                        problems.push(format!("{path}: it ends within a frame; the last of it is missing"));
                    }
                    if best.as_ref().is_none_or(|(_, best)| newer(&found, best)) {
                        best = Some((slot, found));
                    }
                }
                Ok(None) => {}
                Err(problem) => problems.push(format!("{}: {problem}", self.path(slot).display())),
            }
        }
        best
    }

    /// The generation in a slot; none where the slot is empty.
    fn read(&self, slot: usize) -> Result<Option<Recovered>, String> {
        match fs::read(self.path(slot)) {
            Ok(bytes) => {
                generation::read(&self.credential, self.organization, &bytes).map(Some).map_err(|bad| bad.to_string())
            }
            Err(bad) if bad.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(bad) => Err(bad.to_string()),
        }
    }

    fn path(&self, slot: usize) -> PathBuf {
        self.folder.join(SLOTS.get(slot).unwrap_or(&SLOTS[0]))
    }

    /// Makes a generation of events, of which the first is a base.
    ///
    /// # Errors
    /// When one of them is too large to be read back. What comes after these events is not kept then.
    pub fn compose<'a>(&mut self, events: impl IntoIterator<Item = &'a FeedEvent>) -> io::Result<Generation> {
        // Also above one that was not there at the start, where a disk came late.
        let there = (0..SLOTS.len()).filter_map(|slot| generation::number(&self.path(slot)).ok()).max();
        let number = self.number.max(there.unwrap_or_default()).saturating_add(1);
        let generation = Generation::of(&self.credential, number, self.entropy.bytes(), events);
        if generation.is_err() {
            self.writing = None;
        }
        generation
    }

    /// Writes a new generation, beside the best one, and puts it in the other's place once it is whole.
    ///
    /// # Errors
    /// When it cannot be written, or may not outlast a loss of power; the best one is as it was.
    pub fn begin(&mut self, generation: Generation) -> io::Result<()> {
        self.write(1 - self.slot, generation)
    }

    /// Writes the best generation anew, in its own place.
    ///
    /// # Errors
    /// When it cannot be written, or may not outlast a loss of power; there is one of the two whole.
    pub fn renew(&mut self, generation: Generation) -> io::Result<()> {
        self.write(self.slot, generation)
    }

    fn write(&mut self, slot: usize, generation: Generation) -> io::Result<()> {
        self.writing = None;
        let Generation { bytes, writer, base, number } = generation;
        let mut draft = draft(&self.folder)?;
        draft.write_all(&bytes)?;
        draft.as_file().sync_all()?;
        let file = draft.persist(self.path(slot)).map_err(|bad| bad.error)?;
        (self.slot, self.base, self.number) = (slot, base, number);
        File::open(&self.folder)?.sync_all()?;
        self.writing = Some(Writing { file, writer, base: bytes.len() as u64, tail: 0, unsynced: false });
        Ok(())
    }

    /// Keeps an event that came after the base of the generation that is being written.
    ///
    /// # Errors
    /// When it cannot be written; what was written before stays good.
    pub fn keep(&mut self, event: &FeedEvent) -> io::Result<()> {
        // Without a generation there is nothing to add to; a base comes first.
        let Some(writing) = &mut self.writing else { return Ok(()) };
        let frames = writing.writer.event(event).map_err(io::Error::other)?;
        if let Err(bad) = writing.file.write_all(&frames) {
            // What was written of it is cut off when it is read, and nothing may follow it.
            self.writing = None;
            return Err(bad);
        }
        writing.tail += frames.len() as u64;
        writing.unsynced = true;
        Ok(())
    }

    /// Makes what was kept outlast a loss of power.
    ///
    /// # Errors
    /// When the system cannot say that it does; a new generation has to be begun then.
    pub fn sync(&mut self) -> io::Result<()> {
        let Some(writing) = self.writing.as_mut().filter(|writing| writing.unsynced) else { return Ok(()) };
        writing.unsynced = false;
        let synced = writing.file.sync_data();
        if synced.is_err() {
            self.writing = None;
        }
        synced
    }

    /// Something cannot be followed beyond `followed`, an epoch and a position in it; none where nothing can. The best generation
    /// is removed where its base is what cannot, and the other can be read, which is the best from now on, and what it says is
    /// returned. An entry after the base leaves it the best: it says more than the one before.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn doubt(&mut self, followed: Option<(u32, Seq)>) -> io::Result<Option<Recovered>> {
        if self.base.is_some_and(|base| followed >= Some(base)) || !self.path(self.slot).is_file() {
            return Ok(None);
        }
        let Ok(Some(found)) = self.read(1 - self.slot) else { return Ok(None) };
        self.writing = None;
        fs::remove_file(self.path(self.slot))?;
        (self.slot, self.base) = (1 - self.slot, found.base());
        Ok(Some(found))
    }

    /// Whether there is a generation that is being added to.
    pub fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// Whether a new base is wanted: nothing is being written, or so much that reading it back would take long.
    pub fn wants_base(&self) -> bool {
        self.writing.as_ref().is_none_or(|writing| writing.tail > LONG_TAIL.max(writing.base))
    }

    /// Removes the policy: the gateway was removed. Its enrolment stays, for the usage that is still to be handed over.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&mut self) -> io::Result<()> {
        self.writing = None;
        if !self.folder.exists() {
            return Ok(());
        }
        // Noted first, so that a start in between finds no policy either. A policy goes also where nothing can be written, and
        // where the other does not go.
        let noted = File::create(self.folder.join(REMOVED)).and_then(|note| note.sync_all());
        let noted = noted.and_then(|()| File::open(&self.folder)?.sync_all());
        let gone = SLOTS.map(|name| remove(&self.folder.join(name)));
        gone.into_iter().chain([noted]).collect::<io::Result<()>>()?;
        File::open(&self.folder)?.sync_all()
    }
}

/// A file to be written whole before it takes the place of another.
pub(crate) fn draft(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(DRAFT).tempfile_in(folder)
}

/// Removes the drafts of programs that were killed before one was whole: each may be as long as a policy.
fn clear(folder: &Path) -> io::Result<()> {
    for file in fs::read_dir(folder)? {
        let file = file?;
        if file.file_name().to_string_lossy().starts_with(DRAFT) {
            remove(&file.path())?;
        }
    }
    Ok(())
}

fn left_over(folder: &Path, bad: &io::Error) -> String {
    format!("{}: what is of no more use there cannot be removed: {bad}", folder.display())
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(bad) if bad.kind() != io::ErrorKind::NotFound => Err(bad),
        _ => Ok(()),
    }
}

fn newer(one: &Recovered, other: &Recovered) -> bool {
    let age = |recovered: &Recovered| (recovered.course.at(), recovered.number);
    age(one) > age(other)
}
