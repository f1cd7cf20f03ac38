use std::collections::BTreeMap;

use gatewarden_store::UsageRecord;
use gatewarden_types::{Id, MOST_TOKENS, Organization, Timestamp};
use uuid::Uuid;

use crate::{App, Error};

/// How many records go into one transaction. A database takes a bounded number of values in one statement.
const BATCH: usize = 500;

/// One call, as a gateway reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Whose policy it was decided by.
    pub organization: Id<Organization>,
    /// The call.
    pub record: UsageRecord,
}

/// Takes in what gateways report: the calls, and when keys and members were last seen. A record that came before is
/// passed over, so that whoever is told of an error sends everything again. Counts of tokens beyond [`MOST_TOKENS`] are
/// taken for that many.
///
/// # Errors
/// The first, after everything else was taken in.
pub async fn ingest(app: &App, observed: Vec<Observed>) -> Result<(), Error> {
    let mut by_place: BTreeMap<Id<Organization>, Vec<UsageRecord>> = BTreeMap::new();
    for Observed { organization, mut record } in observed {
        record.input_tokens = record.input_tokens.min(MOST_TOKENS);
        record.output_tokens = record.output_tokens.min(MOST_TOKENS);
        by_place.entry(organization).or_default().push(record);
    }
    let mut first_error = Ok(());
    for (organization, records) in by_place {
        for batch in records.chunks(BATCH) {
            first_error = first_error.and(take_in(app, organization, batch).await);
        }
    }
    first_error
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
