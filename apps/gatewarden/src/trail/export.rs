//! `trail export`: a folder that holds a trail as C2SP tlog-tiles lays one out, with its key; or a file of lines.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, bail};
use gatewarden_control::{
    App,
    trail::{self, Format},
};
use gatewarden_store::Place;
use gatewarden_trail::{File, Tiler};

use super::Progress;
use crate::cli::{Export, Form};

/// Exports what was asked for.
pub async fn export(app: &App, asked: &Export) -> anyhow::Result<ExitCode> {
    let slug = &asked.organization;
    let places = app.store.places().await?;
    let Some(place) = places.into_iter().find(|place| place.slug == *slug) else {
        bail!("there is no organization {slug}; `gatewarden trail verify --all` names every one");
    };
    let format = match (asked.format, &asked.to) {
        (Form::Folder, Some(to)) => return folder(app, &place, to).await,
        (Form::Folder, None) => bail!("a folder is missing; give one, as in: gatewarden trail export … ./trail"),
        (Form::Jsonl, _) => Format::Jsonl,
        (Form::Csv, _) => Format::Csv,
        (Form::Ocsf, _) => Format::Ocsf,
    };
    match &asked.to {
        None => lines(app, &place, format, io::stdout().lock()).await,
        Some(to) => {
            let shown = || format!("{} cannot be made; give the name of a new file", to.display());
            lines(app, &place, format, io::BufWriter::new(fs::File::create_new(to).with_context(shown)?)).await
        }
    }
}

/// Writes every entry as a line.
async fn lines(app: &App, place: &Place, format: Format, mut to: impl Write) -> anyhow::Result<ExitCode> {
    let mut export = trail::export(app, &trail::operator(app), place.id).await?;
    to.write_all(&format.head())?;
    while let Some(page) = export.next_written(format).await? {
        to.write_all(&page)?;
    }
    to.flush().context("the export was cut off")?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the folder. The checkpoint comes last: a folder without one is an export that was cut off.
async fn folder(app: &App, place: &Place, folder: &Path) -> anyhow::Result<ExitCode> {
    let slug = &place.slug;
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
    let key = export.key();
    write(folder, &File { path: "key".to_owned(), bytes: format!("{key}\n").into_bytes() })?;
    if !export.is_signed(&tree) {
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
