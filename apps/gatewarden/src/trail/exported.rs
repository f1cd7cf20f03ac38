//! Verification of what was exported, by whoever has it: a folder with a trail, or the proof of one entry.

use std::{
    fs, io,
    path::Path,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context, anyhow, bail};
use gatewarden_trail::{
    Broken, Bundle, Checkpoint, Frontier, Log, VerifyingKey, WIDTH, bundle_path, check_root, check_tile, tile_path,
    upper_tiles, width_at,
};

use super::{Progress, proof};

/// Verifies each, and names the first thing that is wrong with it.
pub fn run(exported: &[impl AsRef<Path>], key: Option<&Path>) -> anyhow::Result<ExitCode> {
    let known = key.map(read_key).transpose()?;
    let mut wrong = 0_usize;
    for path in exported.iter().map(AsRef::as_ref) {
        let known = known.as_ref();
        let found = if path.is_dir() { folder(path, known) } else { proof::verify(path, known) };
        wrong += usize::from(found.is_err());
        // One that cannot be read is told like one that is wrong, so that those after it are verified as well.
        println!("{}: {}", path.display(), found.unwrap_or_else(|bad| format!("{bad:#}")));
    }
    if wrong > 0 {
        eprintln!("gatewarden: {wrong} of {} cannot be trusted", exported.len());
        return Ok(ExitCode::FAILURE);
    }
    if known.is_none() {
        eprintln!("Checked with the key in the folder. Compare it with one that you know, or give that with --key.");
    }
    Ok(ExitCode::SUCCESS)
}

/// A log's name and key, in the form that verifiers take: of one epoch.
pub struct LogKey {
    /// The log in all of its epochs.
    pub log: Log,
    /// The epoch that is named.
    pub epoch: u32,
}

/// Reads the file of a key.
fn read_key(path: &Path) -> anyhow::Result<LogKey> {
    let text = fs::read_to_string(path).with_context(|| format!("the key {} cannot be read", path.display()))?;
    let read = VerifyingKey::from_note_form(text.strip_suffix('\n').unwrap_or(&text));
    let (origin, key) = read.with_context(|| path.display().to_string())?;
    let (log, epoch) =
        Log::of_origin(&origin, key).with_context(|| format!("{} names no epoch of a trail", path.display()))?;
    Ok(LogKey { log, epoch })
}

/// What is so of a folder.
fn folder(folder: &Path, known: Option<&LogKey>) -> anyhow::Result<String> {
    let note = read(folder, "checkpoint")?.context(
        "it has no file `checkpoint`, which an export writes last: it was cut off, or this is no export. Export it again",
    )?;
    let own = read_key(&folder.join("key")).map_err(|_| anyhow!("the folder's key is missing, or is none"))?;
    if known.is_some_and(|known| known.log != own.log) {
        bail!("the key is not the one that you know");
    }
    let note = String::from_utf8(note).unwrap_or_default();
    let checkpoint = own.log.key().open(&note, &own.log.origin(own.epoch)).map_err(Broken::Checkpoint)?;
    entries(folder, &checkpoint, own.epoch)?;
    Ok(format!("{} entries verified{}", checkpoint.size, in_epoch(own.epoch, known)))
}

/// Which epoch something is of, where it is not the one of the key that is known, or not the first.
pub fn in_epoch(epoch: u32, known: Option<&LogKey>) -> String {
    match known.map(|known| known.epoch) {
        Some(later) if epoch < later => {
            format!(" in epoch {epoch}; from the entry on that began epoch {later} or one between, it is superseded")
        }
        _ if epoch == 1 => String::new(),
        _ => format!(" in epoch {epoch}"),
    }
}

/// Checks every file that the checkpoint covers: the bundles on all cores, then the tiles above them.
fn entries(folder: &Path, checkpoint: &Checkpoint, signed: u32) -> anyhow::Result<()> {
    let bundles = bundles(folder, checkpoint)?;
    let (mut whole, mut roots) = (Frontier::default(), Vec::new());
    for bundle in &bundles {
        whole.append(&bundle.tree);
        roots.extend((bundle.tree.size() == WIDTH).then(|| bundle.tree.root()));
    }
    for tile in upper_tiles(roots) {
        let path = tile.file().path;
        let first = (tile.index * WIDTH).saturating_mul(tile.entries_each()).saturating_add(1);
        let missing = || format!("entry {first} begins a stretch whose hashes are missing: there is no file {path}");
        check_tile(&tile, &read(folder, &path)?.with_context(missing)?)?;
    }
    check_root(&whole, checkpoint)?;
    let epoch = bundles.iter().rev().find_map(|bundle| bundle.epoch).unwrap_or(1);
    if let Some(unreadable) = bundles.into_iter().find_map(|bundle| bundle.unreadable) {
        return Err(unreadable.into());
    }
    if epoch == signed { Ok(()) } else { Err(Broken::Epoch { signed, epoch }.into()) }
}

/// Checks all bundles. Each core takes the next one, so that none is taken after a later one; so the first that is wrong
/// is among those that were taken.
fn bundles(folder: &Path, checkpoint: &Checkpoint) -> anyhow::Result<Vec<Bundle>> {
    let count = checkpoint.size.div_ceil(WIDTH);
    let (next, found) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let progress = Progress::of(folder.display().to_string());
    let work = || -> anyhow::Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(());
            }
            let one = bundle(folder, checkpoint, index);
            if one.is_err() {
                next.store(count, Ordering::Relaxed);
            }
            if index % TOLD == TOLD - 1 {
                progress.tell(((index + 1) * WIDTH).min(checkpoint.size), checkpoint.size);
            }
            found.lock().map_err(|_| anyhow!("another thread ended badly"))?.push((index, one));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (1..cores).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let others =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(anyhow!("a thread ended badly"))));
        others.chain([mine]).collect::<anyhow::Result<()>>()
    })?;
    let mut found: Vec<(u64, anyhow::Result<Bundle>)> =
        found.into_inner().map_err(|_| anyhow!("a thread ended badly"))?;
    found.sort_unstable_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, bundle)| bundle).collect()
}

/// After how many bundles it is told how far it is.
const TOLD: u64 = 64;

fn bundle(folder: &Path, checkpoint: &Checkpoint, index: u64) -> anyhow::Result<Bundle> {
    let width = width_at(index, checkpoint.size);
    let (entries, hashes, first) = (bundle_path(index, width), tile_path(0, index, width), index * WIDTH + 1);
    let missing = || format!("entry {first} is missing: there is no file {entries}");
    let bundle = read(folder, &entries)?.with_context(missing)?;
    let missing = || format!("entry {first} cannot be checked: its hash is missing, as there is no file {hashes}");
    let tile = read(folder, &hashes)?.with_context(missing)?;
    Ok(Bundle::check(index, width, &checkpoint.origin, &bundle, &tile)?)
}

/// A file of the folder; none where there is none.
fn read(folder: &Path, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(folder.join(path)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(bad) if matches!(bad.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(bad) => Err(bad).with_context(|| format!("the file {path} cannot be read")),
    }
}
