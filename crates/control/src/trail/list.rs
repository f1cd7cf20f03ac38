use gatewarden_access::{Caller, actions};
use gatewarden_store::{EntryFilter, SecondHistory, StoreError};
use gatewarden_trail::Entry;
use gatewarden_types::{Id, Organization, Seq};

use super::{Names, names::mentioned};
use crate::{App, Error};

/// A page of the trail, newest first.
#[derive(Debug)]
pub struct TrailPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// What the things in them are called.
    pub names: Names,
    /// Where the next page begins, as [`EntryFilter::before`]; none when there are no older entries.
    pub older: Option<Seq>,
    /// How many entries the whole trail has.
    pub size: Seq,
    /// Whether it is what was signed of it.
    pub history: History,
}

/// Whether a trail is what was signed of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// It is.
    One,
    /// It is not, so that nothing can be changed any more.
    Second(SecondHistory),
    /// It could not be compared; the log says why.
    Unknown,
}

/// The newest entries that fit, at most `limit`.
///
/// # Errors
/// When the caller may not read the trail.
pub async fn list(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    filter: &EntryFilter,
    limit: usize,
) -> Result<TrailPage, Error> {
    search(app, caller, organization, None, filter, limit).await
}

/// The same, of these only the ones that `text` finds: by or about whoever and whatever is called so or has this id, as
/// far as the caller may know what things are called. Of a text that fits more than a thousand names, the first thousand
/// are looked for.
///
/// # Errors
/// When the caller may not read the trail.
pub async fn search(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    text: Option<&str>,
    filter: &EntryFilter,
    limit: usize,
) -> Result<TrailPage, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ReadTrail>()?;
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let about = match text {
        Some(text) => Some(Names::load(&read, None).await?.find(text)),
        None => None,
    };
    let filter = EntryFilter { about, ..filter.clone() };
    let mut entries = read.entries(&permit, &filter, one_more).await?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let names = Names::load(&read, Some(&entries.iter().flat_map(mentioned).collect())).await?;
    let older = entries.last().filter(|_| more).map(|entry| entry.seq);
    let size = read.size(&permit).await?;
    drop(read);
    Ok(TrailPage { entries, names, older, size, history: history(app, organization).await })
}

async fn history(app: &App, organization: Id<Organization>) -> History {
    match app.store.one_history(organization).await {
        Ok(()) => History::One,
        Err(StoreError::SecondHistory(found)) => History::Second(found),
        Err(bad) => {
            tracing::error!(%organization, error = %bad, "the trail could not be compared with what was signed of it");
            History::Unknown
        }
    }
}
