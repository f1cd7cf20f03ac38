//! Every input of every corpus passes its check: those that the seeds are, and those that a fuzzer found.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use gatewarden_fuzzing::CHECKS;

use crate::seeds::seeds;

/// How much all corpora may hold, in bytes.
const MOST: usize = 1024 * 1024;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|bad| panic!("{}: {bad}", folder.display()));
    let mut files: Vec<_> = listed.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_input_of_the_corpora_passes_its_check() {
    let mut held = 0;
    for (name, check) in CHECKS {
        for file in files(&fuzz().join("corpus").join(name)) {
            let input = fs::read(&file).unwrap();
            held += input.len();
            // A check that fails says what of its own; this says with which file.
            let passed = std::panic::catch_unwind(|| check(&input));
            assert!(passed.is_ok(), "{name} fails with {}", file.display());
        }
    }
    assert!(held <= MOST, "the corpora hold {held} bytes; minimize them (CONTRIBUTING.md)");
}

#[test]
fn every_check_has_a_target_and_a_corpus() {
    let names: BTreeSet<_> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found = |folder: &str| -> BTreeSet<String> {
        files(&fuzz().join(folder))
            .iter()
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    assert_eq!(found("fuzz_targets"), names);
    assert_eq!(found("corpus"), names);
}

/// The seeds in the corpora are those that are made here. `GATEWARDEN_WRITE_SEEDS=1` writes them.
#[test]
fn the_seeds_are_as_they_are_made() {
    for (target, name, bytes) in seeds() {
        let file = fuzz().join("corpus").join(target).join(name);
        if std::env::var_os("GATEWARDEN_WRITE_SEEDS").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &bytes).unwrap();
        }
        let held = fs::read(&file).unwrap_or_default();
        assert!(held == bytes, "{} is another; GATEWARDEN_WRITE_SEEDS=1 writes it", file.display());
    }
}
