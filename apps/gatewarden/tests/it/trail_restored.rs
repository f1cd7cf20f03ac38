//! A backup is restored, as an operator does it: files are put back, and the program is told.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::program::{Folder, Running, ledger, text};

fn export(folder: &Folder, to: &str) -> (std::process::Output, PathBuf) {
    let to = folder.data().with_file_name(to);
    (folder.run(&["trail", "export", "--organization", "acme", &to.display().to_string()]), to)
}

/// The files of a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).expect("a folder").map(|inside| inside.expect("readable").path());
    paths.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect()
}

/// An organization whose backup is put back, and the operator says so: what was exported before that and after it.
pub fn exports_around_a_restore(folder: &Folder) -> (PathBuf, PathBuf) {
    folder.init("Acme");
    let organization = ledger(&folder.data()).with_file_name("");
    let backup = files(&organization);
    let (_, first) = export(folder, "first");
    for path in files(&organization).into_keys() {
        fs::remove_file(path).expect("removes");
    }
    for (path, bytes) in &backup {
        fs::write(path, bytes).expect("puts it back");
    }

    let (again, _) = export(folder, "again");
    let told = text(&again.stderr);
    assert!(again.status.code() == Some(1) && told.contains("run `gatewarden trail restored`"), "{told}");

    let restored = folder.run(&["trail", "restored", "--all"]);
    assert_eq!(text(&restored.stdout), "acme: epoch 2 begins at entry 2\n", "{}", text(&restored.stderr));
    let live = folder.run(&["trail", "verify", "--all"]);
    assert!(live.status.success() && text(&live.stdout).contains("superseded"), "{}", text(&live.stdout));
    let (second, to) = export(folder, "second");
    assert!(second.status.success(), "{}", text(&second.stderr));
    (first, to)
}

#[test]
fn a_restored_backup_is_told_and_goes_on_in_a_new_epoch() {
    let folder = Folder::new();
    let (first, to) = exports_around_a_restore(&folder);
    let verify = |known: &PathBuf, of: &PathBuf| {
        let key = known.join("key").display().to_string();
        let output = folder.run(&["trail", "verify", "--key", &key, &of.display().to_string()]);
        (output.status.success(), text(&output.stdout))
    };
    let (good, told) = verify(&first, &to);
    assert!(good && told.ends_with(": 3 entries verified in epoch 2\n"), "{told}");
    let (good, told) = verify(&to, &first);
    assert!(good && told.contains("2 entries verified in epoch 1;") && told.contains("superseded"), "{told}");
}

#[test]
fn a_backup_is_not_restored_under_a_program_that_serves() {
    let folder = Folder::new();
    folder.init("Acme");
    let running = Running::start(&folder, &["serve"]);
    let restored = folder.run(&["trail", "restored", "--organization", "acme"]);
    let told = text(&restored.stderr);
    assert!(restored.status.code() == Some(1) && told.contains("end that program first"), "{told}");
    drop(running);
    let unknown = folder.run(&["trail", "restored", "--organization", "nobody"]);
    assert!(unknown.status.code() == Some(1) && text(&unknown.stderr).contains("no organization nobody"));
}
