//! The files of a spool: nothing but reading, writing and removing them.

use std::{
    collections::BTreeMap,
    fmt::Display,
    fs::{DirBuilder, File, OpenOptions, TryLockError, read_dir, remove_file},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{
    frame::{tally, whole},
    ledger::Segment,
};

/// How segments are called after their number.
const SUFFIX: &str = ".usage";
/// What is locked by the program that has the folder.
const LOCK: &str = "lock";

/// A folder, held by this program alone.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The segments that were there at the beginning.
    found: BTreeMap<u64, PathBuf>,
    /// The segment that is appended to.
    open: Option<(u64, File)>,
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing, and takes it until this is dropped or the program ends.
    ///
    /// # Errors
    /// When it cannot be written to, or another program has it.
    pub(crate) fn hold(path: &Path) -> io::Result<Self> {
        let told = |bad: io::Error| io::Error::new(bad.kind(), format!("the usage spool {}: {bad}", path.display()));
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(told)?;
        let lock = private(OpenOptions::new().create(true), &path.join(LOCK)).map_err(told)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), found: files(path).map_err(told)?, open: None, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(told(io::Error::other("another gateway has it; give each its own"))),
            Err(TryLockError::Error(bad)) => Err(told(bad)),
        }
    }

    /// What lay here at the beginning. What cannot be read is told and stays where it is.
    pub(crate) fn segments(&self) -> BTreeMap<u64, Segment> {
        self.found.iter().map(|(number, file)| (*number, segment(file))).collect()
    }

    /// Appends to a segment, made where it is missing. When this returns, what was written is on the disk.
    pub(crate) fn append(&mut self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let known = self.open.take().filter(|(open, _)| *open == number);
        let is_new = known.is_none();
        let mut file = match known {
            Some((_, file)) => file,
            None => private(OpenOptions::new().create_new(true), &self.file(number))?,
        };
        file.write_all(bytes)?;
        file.sync_data()?;
        if is_new {
            // Its name is on the disk as well.
            File::open(&self.path)?.sync_all()?;
        }
        self.open = Some((number, file));
        Ok(())
    }

    /// Bytes of a segment.
    pub(crate) fn read(&self, number: u64, at: u64, bytes: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.file(number))?;
        file.seek(SeekFrom::Start(at))?;
        // What is read is at most a segment, which is small.
        let mut read = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
        file.take(bytes).read_to_end(&mut read)?;
        Ok(read)
    }

    /// Whether the folder is where it was, and not away with the disk that it lies on.
    pub(crate) fn is_there(&self) -> bool {
        self.path.join(LOCK).exists()
    }

    /// Removes a segment. One that comes back after a power failure is shipped once more, which changes nothing.
    pub(crate) fn delete(&mut self, number: u64) -> io::Result<()> {
        self.open = self.open.take().filter(|(open, _)| *open != number);
        match remove_file(self.file(number)) {
            Err(bad) if bad.kind() != io::ErrorKind::NotFound => Err(bad),
            _ => Ok(()),
        }
    }

    fn file(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:020}{SUFFIX}"))
    }
}

/// A file for its owner alone, whatever the umask says.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.write(true).mode(0o600).open(path)
}

/// The segments of a folder, by number.
pub(super) fn files(folder: &Path) -> io::Result<BTreeMap<u64, PathBuf>> {
    let files: io::Result<Vec<PathBuf>> = read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    Ok(files?.into_iter().filter_map(|file| Some((number(&file)?, file))).collect())
}

fn number(file: &Path) -> Option<u64> {
    file.file_name()?.to_str()?.strip_suffix(SUFFIX)?.parse().ok()
}

/// What a file has.
fn segment(file: &Path) -> Segment {
    let unreadable = |why: &dyn Display| {
        tracing::error!(file = %file.display(), error = %why, "usage that cannot be read here stays where it is");
    };
    let bytes = std::fs::read(file).inspect_err(|bad| unreadable(bad));
    let (mut foreign, bytes) = (bytes.is_err(), bytes.unwrap_or_default());
    let (mut frames, mut end) = (Vec::new(), 0);
    for frame in whole(&bytes) {
        end = frame.at.end;
        let Ok(records) = frame.records().inspect_err(|bad| unreadable(bad)) else {
            foreign = true;
            break;
        };
        frames.push((frame.at.len() as u64, tally(&records)));
    }
    if !foreign && end < bytes.len() {
        let torn = bytes.len() - end;
        tracing::warn!(file = %file.display(), at = end, bytes = torn, "the end of a usage file is torn and left out");
    }
    Segment::found(frames, bytes.len() as u64, foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_for_one_gateway_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = Folder::hold(folder.path()).unwrap();
        assert!(Folder::hold(folder.path()).unwrap_err().to_string().contains("another gateway has it"));
        drop(held);
        Folder::hold(folder.path()).unwrap();
    }
}
