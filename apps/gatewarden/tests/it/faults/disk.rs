use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use crate::program::text;

/// A disk that can be full: a file system in memory, of this size.
pub struct Disk {
    mounted: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    const SIZE: &str = "size=48m";

    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = folder.path().to_owned();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", Self::SIZE, "tmpfs"]).arg(&mounted).output();
        let mount = mount.expect("mount is there");
        assert!(mount.status.success(), "a full disk needs root, for a tmpfs: {}", text(&mount.stderr));
        Self { mounted, _folder: folder }
    }

    pub fn path(&self) -> &Path {
        &self.mounted
    }

    /// Takes what is left of it.
    pub fn fill(&self) {
        let mut filler = std::fs::File::create(self.mounted.join("filler")).expect("makes it");
        for size in [1 << 20, 1 << 12] {
            while filler.write_all(&vec![1; size]).is_ok() {}
        }
    }

    pub fn clear(&self) {
        std::fs::remove_file(self.mounted.join("filler")).expect("is there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What is mounted in a folder hinders its removal, and is told of there.
        drop(Command::new("umount").arg("--lazy").arg(&self.mounted).status());
    }
}
