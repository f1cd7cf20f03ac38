use gatewarden_access::{Caller, Permit, actions::FollowTrail};
use gatewarden_credentials::Sealed;
use gatewarden_feed::{Body, FeedEvent, Position};
use gatewarden_store::{OrgRead, StoreError};
use gatewarden_trail::Entry;
use gatewarden_types::{AnyRecord, Digest, Id, Job, Organization, Seq};

use crate::{App, Error};

/// How many entries are read at once.
const PAGE: u64 = 256;

/// The policy of an organization at one position of its trail.
#[derive(Debug)]
pub struct Base {
    /// The organization.
    pub organization: Id<Organization>,
    /// The position of its last entry.
    pub seq: Seq,
    /// That entry's leaf hash.
    pub head: Digest,
    /// Whether the trail has the position that was said to be known.
    pub continues: bool,
    /// Every policy record.
    pub records: Vec<AnyRecord>,
    /// The sealed secrets that its providers name.
    pub bodies: Vec<Body>,
}

/// An entry on its way to gateways.
#[derive(Debug)]
pub struct FollowedEntry {
    /// The organization.
    pub organization: Id<Organization>,
    /// Where it leads.
    pub at: Position,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// The sealed secrets that it names, as far as they have not been erased since.
    pub bodies: Vec<Body>,
}

impl From<Base> for FeedEvent {
    fn from(Base { organization, seq, head, continues, records, bodies }: Base) -> Self {
        Self::Base { organization, seq, head, continues, records, bodies }
    }
}

impl From<FollowedEntry> for FeedEvent {
    fn from(FollowedEntry { organization, bytes, bodies, .. }: FollowedEntry) -> Self {
        Self::Entry { organization, bytes, bodies }
    }
}

/// The policy of an organization as it is now, for whoever is at the position that is `known`: the rows, which are what its
/// entries fold to.
///
/// # Errors
/// When the database cannot answer or a row cannot be read.
pub async fn base(app: &App, organization: Id<Organization>, known: Option<Position>) -> Result<Base, Error> {
    let (read, permit) = follow(app, organization).await?;
    let seq = read.size(&permit).await?;
    let head = leaf(&read, &permit, seq).await?;
    let head = head.ok_or_else(|| Error::Internal(format!("entry {seq} has no leaf")))?;
    let continues = match known {
        Some(known) => has(&read, &permit, known).await?,
        None => false,
    };
    let mut records = Vec::new();
    for ((kind, _), (_, image)) in read.tables(&permit).await? {
        let record =
            AnyRecord::read(kind, &image).map_err(|bad| Error::Internal(format!("a {}: {bad}", kind.word())))?;
        records.push(record);
    }
    let bodies = bodies(&read, &permit, &records).await?;
    Ok(Base { organization, seq, head, continues, records, bodies })
}

/// The next entries after a position, oldest first, and no list where the trail does not have that position.
///
/// # Errors
/// When the database cannot answer or an entry cannot be read.
pub async fn entries_after(
    app: &App,
    organization: Id<Organization>,
    after: Position,
) -> Result<Option<Vec<FollowedEntry>>, Error> {
    let (read, permit) = follow(app, organization).await?;
    if !has(&read, &permit, after).await? {
        return Ok(None);
    }
    let mut entries = Vec::new();
    for stored in read.stored(&permit, after.seq, PAGE).await? {
        let named = match Entry::from_bytes(&stored.bytes) {
            Ok(entry) => images(&entry),
            // It is sent as it is: what a gateway cannot read, it sets aside, and says so.
            Err(_) => Vec::new(),
        };
        let bodies = bodies(&read, &permit, &named).await?;
        let at = Position::of(stored.seq, &stored.bytes);
        entries.push(FollowedEntry { organization, at, bytes: stored.bytes, bodies });
    }
    Ok(Some(entries))
}

/// The position of an organization's last entry.
///
/// # Errors
/// When the database cannot answer.
pub(crate) async fn end(app: &App, organization: Id<Organization>) -> Result<(u32, Seq), Error> {
    let (read, permit) = follow(app, organization).await?;
    Ok((read.epoch(), read.size(&permit).await?))
}

/// Whether the trail has that entry at that position.
async fn has(read: &OrgRead, permit: &Permit<FollowTrail>, position: Position) -> Result<bool, StoreError> {
    Ok(leaf(read, permit, position.seq).await? == Some(position.head))
}

async fn leaf(read: &OrgRead, permit: &Permit<FollowTrail>, seq: Seq) -> Result<Option<Digest>, StoreError> {
    Ok(read.leaves(permit, &[seq]).await?.get(&seq).map(|leaf| Digest(leaf.hash)))
}

async fn follow(app: &App, organization: Id<Organization>) -> Result<(OrgRead, Permit<FollowTrail>), StoreError> {
    let read = app.store.read(&Caller::system(Job::Follower, app.id()), organization).await?;
    let permit = read.permit::<FollowTrail>()?;
    Ok((read, permit))
}

/// The records that an entry left behind, as far as they can be read.
fn images(entry: &Entry) -> Vec<AnyRecord> {
    let image = |change: &gatewarden_trail::Change| AnyRecord::read(change.kind, change.after.as_ref()?).ok();
    entry.changes.iter().filter_map(image).collect()
}

async fn bodies(read: &OrgRead, permit: &Permit<FollowTrail>, records: &[AnyRecord]) -> Result<Vec<Body>, StoreError> {
    let mut bodies = Vec::new();
    for record in records {
        if let AnyRecord::Provider(provider) = record
            && let Some(name) = provider.credential
        {
            let sealed = read.body(permit, name).await?.map(Sealed::from_bytes);
            bodies.extend(sealed.map(|sealed| Body { provider: provider.id, name, sealed }));
        }
    }
    Ok(bodies)
}
