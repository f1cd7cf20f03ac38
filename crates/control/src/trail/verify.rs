use std::{collections::BTreeMap, fmt};

use gatewarden_access::{Caller, actions::FollowTrail};
use gatewarden_trail::{Finding, Folded, Hash, Superseded, Verified, Verifier};
use gatewarden_types::{Id, Job, Organization, RecordKind, Seq};
use uuid::Uuid;

use crate::{App, Error};

/// How many entries are read at once.
const PAGE: u64 = 512;

/// What a verification found.
#[derive(Debug, Clone, PartialEq)]
pub enum Verification {
    /// Every entry and every checkpoint stands, and the tables are what the entries fold to.
    Verified {
        /// How many entries there are.
        size: u64,
        /// The root over them.
        root: Hash,
        /// The epoch they end in.
        epoch: u32,
        /// The last checkpoint of each earlier epoch that does not count any more.
        superseded: Vec<Superseded>,
    },
    /// An entry, a hash or a checkpoint is wrong: the first that is.
    Wrong(Finding),
    /// The entries stand, but a row is not what they say.
    Differs {
        /// What kind of record.
        kind: RecordKind,
        /// Which.
        record: Uuid,
        /// The seq that the entries give it; none when by them there is no such record.
        by_entries: Option<Seq>,
        /// The seq that the row has; none when there is no row.
        by_row: Option<Seq>,
    },
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified { size, epoch, superseded, .. } => {
                write!(f, "{size} entries verified")?;
                if *epoch > 1 {
                    write!(f, " in epoch {epoch}")?;
                }
                superseded.iter().try_for_each(|one| {
                    write!(f, "; what was signed in epoch {} up to entry {} is superseded", one.epoch, one.size)
                })
            }
            Self::Wrong(finding) => finding.fmt(f),
            Self::Differs { kind, record, by_entries, by_row } => {
                let id = gatewarden_types::Target { kind: kind.prefix().into(), id: *record }.text();
                match (by_entries, by_row) {
                    (Some(seq), None) => write!(f, "the {} {id} is missing: entry {seq} made it", kind.word()),
                    (None, _) => write!(f, "the {} {id} was made without an entry", kind.word()),
                    (Some(seq), Some(_)) => {
                        write!(f, "the {} {id} is not as entry {seq} left it: it was changed without one", kind.word())
                    }
                }
            }
        }
    }
}

/// Checks the whole trail of an organization against what was kept, and its tables against the trail. `progress` hears
/// how many entries of how many are checked.
///
/// # Errors
/// When the database cannot answer. What is wrong with the trail is no error but what was found.
pub async fn verify(
    app: &App,
    organization: Id<Organization>,
    progress: impl FnMut(u64, u64) + Send,
) -> Result<Verification, Error> {
    let caller = Caller::system(Job::Verify, app.id());
    // The checkpoints are read first, so that none can cover more than the state that is read after them.
    let earlier = app.store.read(&caller, organization).await?;
    let permit = earlier.permit::<FollowTrail>()?;
    let notes = earlier.kept_checkpoints(&permit).await?.notes;
    match Verifier::new(Some(organization), &notes, &app.store.log(organization)?) {
        Ok(verifier) => walk(app, &caller, organization, verifier, progress).await,
        Err(finding) => Ok(Verification::Wrong(finding)),
    }
}

async fn walk(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    mut verifier: Verifier,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Verification, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<FollowTrail>()?;
    let size = read.size(&permit).await?;
    let mut done = 0;
    loop {
        let page = read.stored(&permit, done, PAGE).await?;
        let Some(last) = page.last() else { break };
        done = last.seq;
        for stored in &page {
            if let Err(finding) = verifier.push(stored) {
                return Ok(Verification::Wrong(finding));
            }
        }
        progress(done, size);
    }
    if done < size {
        // The hashes are kept apart from the entries: they tell of a tail that no checkpoint covers yet.
        return Ok(Verification::Wrong(Finding::Cut { size: done, kept: size }));
    }
    let verified = match verifier.finish() {
        Ok(verified) => verified,
        Err(finding) => return Ok(Verification::Wrong(finding)),
    };
    let differs = first_difference(&verified.folded, &read.tables(&permit).await?);
    Ok(differs.unwrap_or_else(|| whole(verified)))
}

fn whole(verified: Verified) -> Verification {
    let Verified { size, root, epoch, superseded, .. } = verified;
    Verification::Verified { size, root, epoch, superseded: last_of_each(superseded) }
}

/// Checks the instance's own trail: each entry against its hash, and that none is missing before the last hash. No
/// checkpoint is signed of it, and it folds to no table.
///
/// # Errors
/// When the database cannot answer.
pub async fn verify_instance(app: &App) -> Result<Verification, Error> {
    let read = app.store.instance_trail().await?;
    let size = read.size().await?;
    // Whose log it is plays no part where there is no checkpoint to open.
    let log = app.store.log(Id::from_uuid(Uuid::nil()))?;
    let checked = async |mut verifier: Verifier| {
        let mut done = 0;
        loop {
            let page = read.stored(done, PAGE).await?;
            let Some(last) = page.last() else { break };
            done = last.seq;
            if let Err(finding) = page.iter().try_for_each(|stored| verifier.push(stored)) {
                return Ok(Err(finding));
            }
        }
        let cut = (done < size).then_some(Finding::Cut { size: done, kept: size });
        Ok::<_, Error>(cut.map_or_else(|| verifier.finish(), Err))
    };
    Ok(match Verifier::new(None, &[], &log) {
        Ok(verifier) => checked(verifier).await?.map_or_else(Verification::Wrong, whole),
        Err(finding) => Verification::Wrong(finding),
    })
}

/// Of each epoch the checkpoint that covers most.
fn last_of_each(superseded: Vec<Superseded>) -> Vec<Superseded> {
    let mut sizes = BTreeMap::<u32, u64>::new();
    for Superseded { epoch, size } in superseded {
        let most = sizes.entry(epoch).or_default();
        *most = size.max(*most);
    }
    sizes.into_iter().map(|(epoch, size)| Superseded { epoch, size }).collect()
}

fn first_difference(folded: &Folded, tables: &Folded) -> Option<Verification> {
    let place = folded.keys().chain(tables.keys()).filter(|place| folded.get(place) != tables.get(place)).min()?;
    let seq = |state: &Folded| state.get(place).map(|(seq, _)| *seq);
    let (kind, record) = *place;
    Some(Verification::Differs { kind, record, by_entries: seq(folded), by_row: seq(tables) })
}
