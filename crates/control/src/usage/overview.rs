use std::cmp::Reverse;

use gatewarden_access::{Caller, Facts, Permit, actions};
use gatewarden_store::{OrgRead, Person, UsageFilter, UsageSlice};
use gatewarden_types::{Id, Member, Model, ModelName, Organization, Reach, Timestamp, Versioned};

use super::{Range, RefusalUsage};
use crate::{App, Error, names};

/// What happened in a span, as far as the caller may see.
#[derive(Debug)]
pub struct Overview {
    /// Whose calls are counted: everybody's, or the caller's own.
    pub whose: Reach,
    /// Everything together.
    pub total: UsageSlice,
    /// The same for the span before, to compare with.
    pub before: UsageSlice,
    /// Each hour or day from the first to the present one, named by its beginning.
    pub over_time: Vec<(Timestamp, UsageSlice)>,
    /// By model, most calls first.
    pub models: Vec<ModelUsage>,
    /// By member, most calls first.
    pub members: Vec<MemberUsage>,
    /// What was refused, most calls first.
    pub refusals: Vec<RefusalUsage>,
    /// The latency that half of the answered calls stayed within, in microseconds; none without any.
    pub p50_micros: Option<u64>,
    /// The latency that 99 in 100 of the answered calls stayed within, in microseconds; none without any.
    pub p99_micros: Option<u64>,
    /// What the caller may do.
    pub facts: Facts,
}

/// The calls of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelUsage {
    /// Which; none for calls that named no approved model.
    pub model: Option<Id<Model>>,
    /// What callers call it; none where it is gone.
    pub name: Option<ModelName>,
    /// The sums.
    pub slice: UsageSlice,
}

/// The calls of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberUsage {
    /// Who; none for the organization's own keys.
    pub member: Option<Id<Member>>,
    /// Who they are; none where the caller may not know, or nobody does any more.
    pub person: Option<Person>,
    /// The sums.
    pub slice: UsageSlice,
}

type Reading = Permit<actions::ReadUsage>;

/// Usage over a span.
///
/// # Errors
/// When the caller may not see usage.
pub async fn overview(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    range: Range,
) -> Result<Overview, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ReadUsage>()?;
    let filter = range.filter(read.now());
    let step = range.step_seconds() * 1_000_000;
    let over_time = range.fill(filter, &read.usage_over_time(&permit, filter, step).await?);
    let before = read.usage_over_time(&permit, range.before(filter), step).await?;
    let mut refusals: Vec<_> = read.refusals(&permit, filter).await?.into_iter().map(RefusalUsage::new).collect();
    refusals.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.reason.cmp(&b.reason)));
    Ok(Overview {
        whose: permit.reach(),
        total: sum(over_time.iter().map(|(_, slice)| slice)),
        before: sum(before.values()),
        models: by_model(&read, &permit, filter).await?,
        members: by_member(&read, &permit, filter).await?,
        refusals,
        p50_micros: read.latency(&permit, filter, (50, 100)).await?,
        p99_micros: read.latency(&permit, filter, (99, 100)).await?,
        over_time,
        facts: read.facts().clone(),
    })
}

/// The calls of each model over a span, most calls first, and whose calls are counted.
///
/// # Errors
/// When the caller may not see usage.
pub async fn by_models(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    range: Range,
) -> Result<(Reach, Vec<ModelUsage>), Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ReadUsage>()?;
    Ok((permit.reach(), by_model(&read, &permit, range.filter(read.now())).await?))
}

fn sum<'a>(slices: impl Iterator<Item = &'a UsageSlice>) -> UsageSlice {
    slices.fold(UsageSlice::default(), |sum, slice| UsageSlice {
        calls: sum.calls + slice.calls,
        refused: sum.refused + slice.refused,
        input_tokens: sum.input_tokens + slice.input_tokens,
        output_tokens: sum.output_tokens + slice.output_tokens,
    })
}

async fn by_model(read: &OrgRead, permit: &Reading, filter: UsageFilter) -> Result<Vec<ModelUsage>, Error> {
    let known: Vec<Versioned<Model>> = match read.permit::<actions::ListModels>() {
        Ok(permit) => read.list(&permit).await?,
        Err(_) => Vec::new(),
    };
    let name =
        |id: Option<Id<Model>>| known.iter().find(|row| Some(row.record.id) == id).map(|row| row.record.name.clone());
    let slices = read.usage_by_model(permit, filter).await?.into_iter();
    let mut models: Vec<_> = slices.map(|(model, slice)| ModelUsage { model, name: name(model), slice }).collect();
    models.sort_by_key(|usage| (Reverse(usage.slice.calls), usage.model));
    Ok(models)
}

async fn by_member(read: &OrgRead, permit: &Reading, filter: UsageFilter) -> Result<Vec<MemberUsage>, Error> {
    let slices = read.usage_by_member(permit, filter).await?;
    let people = names::people(read, slices.iter().filter_map(|(member, _)| *member)).await?;
    let person = |member: Option<Id<Member>>| member.and_then(|member| people.get(&member).cloned());
    let named = |(member, slice)| MemberUsage { member, person: person(member), slice };
    let mut members: Vec<_> = slices.into_iter().map(named).collect();
    members.sort_by_key(|usage| (Reverse(usage.slice.calls), usage.member));
    Ok(members)
}
