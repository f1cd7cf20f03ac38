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

use anyhow::{Context, anyhow};
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
        let found = if path.is_dir() { folder(path, known.as_ref())? } else { proof::verify(path, known.as_ref())? };
        let (Ok(told) | Err(told)) = &found;
        println!("{}: {told}", path.display());
        wrong += usize::from(found.is_err());
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

/// What is so of a folder, or what is wrong with it.
fn folder(folder: &Path, known: Option<&LogKey>) -> anyhow::Result<Result<String, String>> {
    let Ok(own) = read_key(&folder.join("key")) else {
        return Ok(Err("the folder's key is missing, or is none".to_owned()));
    };
    if known.is_some_and(|known| known.log != own.log) {
        return Ok(Err("the key is not the one that you know".to_owned()));
    }
    let note = String::from_utf8(read(folder, "checkpoint")?).unwrap_or_default();
    let checkpoint = match own.log.key().open(&note, &own.log.origin(own.epoch)) {
        Ok(checkpoint) => checkpoint,
        Err(bad) => return Ok(Err(Broken::Checkpoint(bad).to_string())),
    };
    let told = || format!("{} entries verified{}", checkpoint.size, in_epoch(own.epoch, known));
    let verified = entries(folder, &checkpoint, own.epoch)?;
    Ok(verified.map(|()| told()).map_err(|broken| broken.to_string()))
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
fn entries(folder: &Path, checkpoint: &Checkpoint, signed: u32) -> anyhow::Result<Result<(), Broken>> {
    let bundles = match bundles(folder, checkpoint)? {
        Ok(bundles) => bundles,
        Err(broken) => return Ok(Err(broken)),
    };
    let (mut whole, mut roots) = (Frontier::default(), Vec::new());
    for bundle in &bundles {
        whole.append(&bundle.tree);
        roots.extend((bundle.tree.size() == WIDTH).then(|| bundle.tree.root()));
    }
    for tile in upper_tiles(roots) {
        if let Err(broken) = check_tile(&tile, &read(folder, &tile.file().path)?) {
            return Ok(Err(broken));
        }
    }
    if let Err(broken) = check_root(&whole, checkpoint) {
        return Ok(Err(broken));
    }
    let epoch = bundles.iter().rev().find_map(|bundle| bundle.epoch).unwrap_or(1);
    if let Some(unreadable) = bundles.into_iter().find_map(|bundle| bundle.unreadable) {
        return Ok(Err(unreadable));
    }
    Ok(if epoch == signed { Ok(()) } else { Err(Broken::Epoch { signed, epoch }) })
}

type Found = Result<Bundle, Broken>;

/// Checks all bundles. Each core takes the next one, so that none is taken after a later one; so the first that is wrong
/// is among those that were taken.
fn bundles(folder: &Path, checkpoint: &Checkpoint) -> anyhow::Result<Result<Vec<Bundle>, Broken>> {
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
            if !matches!(one, Ok(Ok(_))) {
                next.store(count, Ordering::Relaxed);
            }
            if index % TOLD == TOLD - 1 {
                progress.tell(((index + 1) * WIDTH).min(checkpoint.size), checkpoint.size);
            }
            found.lock().map_err(|_| anyhow!("another thread ended badly"))?.push((index, one?));
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
    let mut found: Vec<(u64, Found)> = found.into_inner().map_err(|_| anyhow!("a thread ended badly"))?;
    found.sort_unstable_by_key(|(index, _)| *index);
    Ok(found.into_iter().map(|(_, bundle)| bundle).collect())
}

/// After how many bundles it is told how far it is.
const TOLD: u64 = 64;

fn bundle(folder: &Path, checkpoint: &Checkpoint, index: u64) -> anyhow::Result<Found> {
    let width = width_at(index, checkpoint.size);
    let bundle = read(folder, &bundle_path(index, width))?;
    let tile = read(folder, &tile_path(0, index, width))?;
    Ok(Bundle::check(index, width, &checkpoint.origin, &bundle, &tile))
}

/// A file of the folder; empty where there is none, which is found as what is missing in it.
fn read(folder: &Path, path: &str) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(path);
    match fs::read(&path) {
        Ok(bytes) => Ok(bytes),
        Err(bad) if matches!(bad.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(bad) => Err(bad).with_context(|| format!("{} cannot be read", path.display())),
    }
}
