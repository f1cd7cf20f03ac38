//! `trail export`: a folder that holds a trail as C2SP tlog-tiles lays one out, with its key.

use std::{fs, io, path::Path, process::ExitCode};

use anyhow::{Context, bail};
use gatewarden_control::{App, trail};
use gatewarden_trail::{File, Tiler};

use super::Progress;
use crate::cli::Export;

/// Writes the folder. The checkpoint comes last: a folder without one is an export that was cut off.
pub async fn export(app: &App, asked: &Export) -> anyhow::Result<ExitCode> {
    let (slug, folder) = (&asked.organization, asked.folder.as_path());
    let places = app.store.places().await?;
    let Some(place) = places.into_iter().find(|place| place.slug == *slug) else {
        bail!("there is no organization {slug}; `gatewarden trail verify --all` names every one");
    };
    empty(folder)?;
    let mut export = trail::export(app, &trail::operator(app), place.id).await?;
    let (mut tiler, progress, mut done) = (Tiler::default(), Progress::of(slug.to_string()), 0);
    loop {
        let page = export.next().await?;
        let Some(last) = page.last() else { break };
        done = last.seq.max(done);
        for stored in &page {
            tiler.push(&stored.bytes)?.iter().try_for_each(|file| write(folder, file))?;
        }
        progress.tell(done, export.size());
    }
    progress.end();
    let (files, tree) = tiler.finish();
    files.iter().try_for_each(|file| write(folder, file))?;
    let key = export.key()?;
    write(folder, &File { path: "key".to_owned(), bytes: format!("{key}\n").into_bytes() })?;
    if !export.is_signed(&tree)? {
        bail!(
            "the entries do not have the root that was signed, so {} has no checkpoint; \
             `gatewarden trail verify --organization {slug}` names what is wrong",
            folder.display()
        );
    }
    write(folder, &File { path: "checkpoint".to_owned(), bytes: export.checkpoint().as_bytes().to_vec() })?;
    println!("{slug}: {done} entries exported to {}", folder.display());
    println!("Verify with: gatewarden trail verify {}", folder.display());
    Ok(ExitCode::SUCCESS)
}

/// Makes the folder, or makes sure that nothing is in it.
fn empty(folder: &Path) -> anyhow::Result<()> {
    let shown = || format!("the folder {} cannot be used; give another", folder.display());
    match fs::read_dir(folder).map(Iterator::count) {
        Ok(0) => Ok(()),
        Ok(_) => bail!("{} is not empty; give a new folder, so that two exports are not mixed", folder.display()),
        Err(bad) if bad.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder).with_context(shown),
        Err(bad) => Err(bad).with_context(shown),
    }
}

fn write(folder: &Path, file: &File) -> anyhow::Result<()> {
    let path = folder.join(&file.path);
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, &file.bytes));
    made.with_context(|| format!("{} cannot be written", path.display()))
}
