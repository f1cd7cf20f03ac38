use gatewarden_access::{Caller, actions::FollowTrail};
use gatewarden_trail::Entry;
use gatewarden_types::{Id, Job, Organization, Record, Seq, StaleAfter, Timestamp};

use crate::{App, Error};

/// How many changes of the organization's record are looked at. Where there are more, those before count as the longest setting.
const LOOKED_AT: usize = 32;

/// Until when a gateway that hears nothing from now on may decide by what it has. It goes by the setting that it last heard:
/// one that was out of reach already when the setting was lowered goes by the one before, from when that was replaced at the
/// latest.
///
/// # Errors
/// When the database cannot answer.
pub(super) async fn goes_on_until(app: &App, organization: Id<Organization>) -> Result<Timestamp, Error> {
    let read = app.store.read(&Caller::system(Job::Follower, app.id()), organization).await?;
    let permit = read.permit::<FollowTrail>()?;
    let now = app.clock.now();
    let longest = |from: Timestamp| from.plus_seconds(StaleAfter::MOST.into());
    let (mut until, mut replaced, mut before) = (now, now, Seq::MAX);
    for _ in 0..LOOKED_AT {
        // What was replaced so long ago is over by then whatever it was.
        if longest(replaced) <= until {
            return Ok(until);
        }
        let Some(entry) = read.previous(&permit, organization.uuid(), before).await? else { return Ok(until) };
        until = until.max(replaced.plus_seconds(setting(&entry, organization).into()));
        (replaced, before) = (entry.at, entry.seq);
    }
    Ok(longest(replaced))
}

/// The setting that an entry left, in seconds. One that cannot be read counts as the longest.
fn setting(entry: &Entry, organization: Id<Organization>) -> u32 {
    let mut changes = entry.changes.iter().filter(|change| change.kind == Organization::KIND);
    let left = changes.rfind(|change| change.id == organization.uuid()).and_then(|change| change.after.clone());
    let record = left.and_then(|left| serde_json::from_value::<Organization>(left).ok());
    record.map_or(StaleAfter::MOST, |record| record.stale_after.seconds())
}
