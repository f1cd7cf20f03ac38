//! What SQLite writes is for its owner alone.

use std::{os::unix::fs::PermissionsExt, path::Path};

/// Everything below a folder that others can open.
fn open_to_others(folder: &Path) -> Vec<String> {
    let mut open = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        if metadata.permissions().mode() & 0o077 != 0 {
            open.push(entry.path().display().to_string());
        }
        if metadata.is_dir() {
            open.extend(open_to_others(&entry.path()));
        }
    }
    open
}

#[test]
fn every_file_and_folder_is_for_its_owner_alone() {
    gatewarden_testkit::on_sqlite(|world| async move {
        let folder = world.folder().unwrap();
        world.found("another").await;
        assert!(folder.join("control.db").exists());
        assert_eq!(open_to_others(folder), Vec::<String>::new());
    });
}
