//! The installation's one secret: from the environment, or from `secret.key` in the data folder, made once.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use gatewarden_credentials::RootKey;
use gatewarden_types::Entropy;

/// Where it is kept.
pub fn path(data: &Path) -> PathBuf {
    data.join("secret.key")
}

/// Makes the data folder where it is missing, for its owner alone.
pub fn make_folder(data: &Path) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.with_context(|| format!("the data folder {} cannot be made; give another with --data", data.display()))
}

/// Reads the key, or makes it where nothing has been sealed or signed with one yet.
pub fn obtain(data: &Path, entropy: &Entropy) -> anyhow::Result<RootKey> {
    if let Some(key) = read(data)? {
        return Ok(key);
    }
    if data.join("control.db").exists() {
        bail!(
            "{} is missing, but there is data that was sealed and signed with it. Put it back from your backup, or give \
             the same key as GATEWARDEN_SECRET_KEY. A new key would make every provider's secret unreadable.",
            path(data).display()
        );
    }
    make(data, entropy).with_context(|| format!("{} cannot be made", path(data).display()))?;
    read(data)?.context("the secret key that was just made is not there")
}

/// Reads the key where there is one.
pub fn read(data: &Path) -> anyhow::Result<Option<RootKey>> {
    let path = path(data);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(bad) if bad.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(bad) => return Err(bad).with_context(|| format!("{} cannot be read", path.display())),
    };
    let key = text.parse().with_context(|| format!("{} is damaged; put it back from your backup", path.display()))?;
    Ok(Some(key))
}

/// Whether others on this machine may read the key.
pub fn exposed(data: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path(data))?.permissions().mode() & 0o077 != 0)
}

/// Writes a new key beside its place and moves it there, unless one is there meanwhile: whoever comes second finds the
/// first one's, whole. A new temporary file is for its owner alone.
fn make(data: &Path, entropy: &Entropy) -> io::Result<()> {
    let mut draft = tempfile::NamedTempFile::new_in(data)?;
    writeln!(draft, "{}", RootKey::generate(entropy).text().expose())?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path(data)) {
        Err(bad) if bad.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(bad) => Err(bad.error),
        Ok(_) => fs::File::open(data)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewarden_ambient::entropy;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        make_folder(&data).expect("makes it");
        let first = obtain(&data, &entropy()).expect("makes one");
        let second = obtain(&data, &entropy()).expect("finds it");
        assert_eq!(first.text().expose(), second.text().expose());
        assert_eq!(fs::metadata(path(&data)).expect("is there").permissions().mode() & 0o777, 0o600);
        assert!(!exposed(&data).expect("is there"));
        assert_eq!(fs::read_dir(&data).expect("a folder").count(), 1, "no draft is left");
    }

    #[test]
    fn programs_that_start_together_agree_on_one_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys: Vec<String> = std::thread::scope(|scope| {
            let start = || obtain(folder.path(), &entropy()).map(|key| key.text().expose().clone());
            let starting: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starting.into_iter().map(|one| one.join().expect("ends").expect("a key")).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_lost_key_is_not_replaced_and_a_damaged_one_not_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("control.db"), "").expect("writes");
        assert!(obtain(folder.path(), &entropy()).unwrap_err().to_string().contains("Put it back"));
        fs::write(path(folder.path()), "no key").expect("writes");
        assert!(obtain(folder.path(), &entropy()).unwrap_err().to_string().contains("damaged"));
    }
}
