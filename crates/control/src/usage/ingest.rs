use std::{collections::BTreeMap, time::Duration};

use gatewarden_feed::{Tokens, UsageRecord as Reported};
use gatewarden_store::UsageRecord;
use gatewarden_types::{Id, MOST_TOKENS, Organization, Timestamp};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{App, Error};

/// How many records go into one transaction. A database takes a bounded number of values in one statement.
const BATCH: usize = 500;
/// How long keeping an organization's records may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// One call, as a gateway reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Whose policy it was decided by.
    pub organization: Id<Organization>,
    /// The call.
    pub record: UsageRecord,
}

impl From<&Reported> for Observed {
    fn from(seen: &Reported) -> Self {
        let Tokens { read, written } = seen.tokens.unwrap_or(Tokens { read: 0, written: 0 });
        let record = UsageRecord {
            id: seen.request,
            at: seen.at,
            key: seen.key,
            member: seen.member,
            model: seen.model,
            provider: seen.provider,
            status: seen.status,
            refused: seen.refused.as_deref().map(str::to_owned),
            input_tokens: read,
            output_tokens: written,
            latency_micros: seen.total_micros,
            upstream_micros: seen.upstream_micros.unwrap_or_default(),
            decided_under: seen.seq,
        };
        Self { organization: seen.organization, record }
    }
}

/// The organizations whose records could not be kept, and why.
#[derive(Debug, thiserror::Error)]
#[error("the usage of {} organizations could not be kept: {}", .0.len(), reasons(.0))]
pub struct NotKept(pub BTreeMap<Id<Organization>, Error>);

fn reasons(errors: &BTreeMap<Id<Organization>, Error>) -> String {
    let reasons: Vec<String> = errors.iter().map(|(organization, bad)| format!("{organization}: {bad}")).collect();
    reasons.join("; ")
}

impl From<NotKept> for Error {
    fn from(bad: NotKept) -> Self {
        Self::Internal(bad.to_string())
    }
}

/// Takes in what gateways report: the calls, and when keys and members were last seen. A record that came before is
/// passed over, so that whoever is told of an error sends everything again. Counts of tokens beyond [`MOST_TOKENS`] are
/// taken for that many.
///
/// # Errors
/// Says whose records were not kept, or not all of them, within seconds; those of the others were.
pub async fn ingest(app: &App, observed: Vec<Observed>) -> Result<(), NotKept> {
    let mut by_place: BTreeMap<Id<Organization>, Vec<UsageRecord>> = BTreeMap::new();
    for Observed { organization, mut record } in observed {
        record.input_tokens = record.input_tokens.min(MOST_TOKENS);
        record.output_tokens = record.output_tokens.min(MOST_TOKENS);
        by_place.entry(organization).or_default().push(record);
    }
    let mut errors = BTreeMap::new();
    for (organization, records) in by_place {
        let late = |_| Err(Error::Internal("it took too long".to_owned()));
        let kept = timeout(PATIENCE, take_in_all(app, organization, &records)).await.unwrap_or_else(late);
        errors.extend(kept.err().map(|bad| (organization, bad)));
    }
    if errors.is_empty() { Ok(()) } else { Err(NotKept(errors)) }
}

async fn take_in_all(app: &App, organization: Id<Organization>, records: &[UsageRecord]) -> Result<(), Error> {
    for batch in records.chunks(BATCH) {
        take_in(app, organization, batch).await?;
    }
    Ok(())
}

async fn take_in(app: &App, organization: Id<Organization>, batch: &[UsageRecord]) -> Result<(), Error> {
    let intake = app.store.intake(organization).await?;
    intake.usage(batch).await?;
    intake.seen(&last_seen(batch)).await?;
    Ok(intake.commit().await?)
}

/// When each key and member was last seen, each once.
fn last_seen(batch: &[UsageRecord]) -> Vec<(Uuid, Timestamp)> {
    let mut seen: BTreeMap<Uuid, Timestamp> = BTreeMap::new();
    for record in batch {
        for subject in std::iter::once(record.key.uuid()).chain(record.member.map(Id::uuid)) {
            let at = seen.entry(subject).or_insert(record.at);
            *at = (*at).max(record.at);
        }
    }
    seen.into_iter().collect()
}
