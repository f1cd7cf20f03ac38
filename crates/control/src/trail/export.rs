use gatewarden_access::{Caller, actions::ExportTrail};
use gatewarden_trail::{Frontier, Log, Stored};
use gatewarden_types::{Actor, Id, Job, Organization, Seq, Via};

use super::Format;
use crate::{App, Error, or_refuse};

/// How many entries are read at once.
const PAGE: u64 = 512;

/// An export that has begun: its entry is in the trail, and the entries up to there can be taken.
#[derive(Debug)]
pub struct Export {
    app: App,
    caller: Caller,
    organization: Id<Organization>,
    done: Seq,
    size: u64,
    log: Log,
    epoch: u32,
    checkpoint: String,
}

/// Who exports from the command line of the program's own host.
pub fn operator(app: &App) -> Caller {
    Caller { actor: Actor::System(Job::Export), via: Via::CommandLine, request: app.id() }
}

/// Begins to export a trail: that this was done is the last entry of what is exported, and a checkpoint is signed over it.
///
/// # Errors
/// When the caller may not.
pub async fn export(app: &App, caller: &Caller, organization: Id<Organization>) -> Result<Export, Error> {
    let tx = app.store.change(caller, organization).await?;
    let permit = or_refuse!(tx, tx.permit::<ExportTrail>());
    tx.commit(permit).await?;
    let signed = app.store.checkpoint(organization).await?;
    let (size, checkpoint) = signed.ok_or_else(|| Error::Internal("an entry was written and is gone".to_owned()))?;
    let log = app.store.log(organization)?;
    let opened = log.open(&checkpoint).map_err(|bad| Error::Internal(format!("what was signed is {bad}")))?;
    let (app, caller) = (app.clone(), caller.clone());
    Ok(Export { app, caller, organization, done: 0, size, log, epoch: opened.0, checkpoint })
}

impl Export {
    /// The checkpoint over all that is exported.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// Whether the checkpoint is of this tree.
    pub fn is_signed(&self, tree: &Frontier) -> bool {
        let opened = self.log.open(&self.checkpoint);
        opened.is_ok_and(|(_, signed)| (signed.size, signed.root) == (tree.size(), tree.root()))
    }

    /// How many entries are exported.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The log's name in its epoch and its key in the form of signed-note, as verifiers take it.
    pub fn key(&self) -> String {
        self.log.key().note_form(&self.log.origin(self.epoch))
    }

    /// The next entries in order, as they are stored; none after the last. Each page is a read of its own, so that whoever
    /// takes long holds nothing.
    ///
    /// # Errors
    /// When the database cannot answer, an entry is missing, or the caller may not any more.
    pub async fn next(&mut self) -> Result<Vec<Stored>, Error> {
        let left = self.size - self.done;
        if left == 0 {
            return Ok(Vec::new());
        }
        let read = self.app.store.read(&self.caller, self.organization).await?;
        let permit = read.permit::<ExportTrail>()?;
        let page = read.stored(&permit, self.done, left.min(PAGE)).await?;
        let dense = page.iter().zip(self.done + 1..).all(|(stored, seq)| stored.seq == seq);
        match page.last() {
            Some(last) if dense => self.done = last.seq,
            _ => return Err(Error::Internal("an entry is missing; `gatewarden trail verify` names it".to_owned())),
        }
        Ok(page)
    }

    /// The next entries, written in a format; none after the last.
    ///
    /// # Errors
    /// As [`Export::next`], and when an entry cannot be read.
    pub async fn next_written(&mut self, format: Format) -> Result<Option<Vec<u8>>, Error> {
        let page = self.next().await?;
        let lines = page.iter().map(|stored| format.line(stored)).collect::<Result<Vec<_>, _>>();
        let lines = lines.map_err(|bad| Error::Internal(bad.to_string()))?;
        Ok((!page.is_empty()).then(|| lines.concat()))
    }
}
