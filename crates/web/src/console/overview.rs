//! What was called lately, by whom, and how it went.

use gatewarden_access::ActionInfo;
use gatewarden_control::usage::{self, MemberUsage, ModelUsage, Overview, Range, RefusalUsage, UsageSlice};
use gatewarden_types::{Reach, Timestamp};
use serde::Deserialize;

use super::organizations::first_call;
use crate::{
    charts::{Area, Bar, Point, short},
    http::{Answer, Fault, Here, may},
    views::{Place, overview as view},
    wording::{date, thousands},
};

/// How many bars a comparison has at most.
const BARS: usize = 6;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    range: String,
}

/// The figures of a span.
pub async fn show(here: Here) -> Answer {
    let Asked { range } = here.query()?;
    let range = view::Range::ALL.into_iter().find(|known| known.word() == range).unwrap_or_default();
    let found = usage::overview(&here.site.app, &here.caller, here.organization, span(range)).await?;
    let page = page(&here, range, &found).await?;
    here.page(&page)
}

fn span(range: view::Range) -> Range {
    match range {
        view::Range::Day => Range::Day,
        view::Range::Week => Range::Week,
        view::Range::Month => Range::Month,
    }
}

async fn page(here: &Here, range: view::Range, found: &Overview) -> Result<view::Overview, Fault> {
    let everyone = found.whose == Reach::All;
    let members = if everyone { found.members.iter().take(BARS).map(member).collect() } else { Vec::new() };
    let whose = if everyone { "Everyone's calls" } else { "Your own calls" };
    Ok(view::Overview {
        shell: here.shell(Place::Overview).await?,
        range,
        whose: whose.to_owned(),
        cards: cards(range, found),
        calls: over_time(range, &found.over_time),
        models: found.models.iter().take(BARS).map(model).collect(),
        members,
        refused: found.refusals.iter().map(refused).collect(),
        first_call: (found.total.calls == 0 && found.before.calls == 0).then(|| first(here, found)),
    })
}

fn first(here: &Here, found: &Overview) -> view::FirstCall {
    let allowed = |action: &str| ActionInfo::named(action).is_some_and(|info| may(&found.facts, info));
    let before =
        allowed("provider.add").then(|| ("Add a provider and approve a model".to_owned(), here.href("/providers")));
    let (can_create_key, can_see_models) = (allowed("key.create"), allowed("model.list"));
    view::FirstCall { curl: first_call(&here.site.gateway_url, "YOUR_KEY"), before, can_create_key, can_see_models }
}

fn cards(range: view::Range, found: &Overview) -> Vec<view::Card> {
    let card = |label: &str, value: String, note: String| view::Card { label: label.to_owned(), value, note };
    let (now, before) = (found.total, found.before);
    let tokens = |slice: UsageSlice| slice.input_tokens + slice.output_tokens;
    let split = format!("{} in, {} out", short(now.input_tokens), short(now.output_tokens));
    let share = format!("{} of all calls", percent(now.refused, now.calls));
    let p99 = found
        .p99_micros
        .map_or_else(|| "no answered call".to_owned(), |micros| format!("99 in 100 within {}", lasted(micros)));
    vec![
        card("Calls", short(now.calls), compared(now.calls, before.calls, range)),
        card("Tokens", short(tokens(now)), split),
        card("Refused", short(now.refused), share),
        card("Median answer", found.p50_micros.map_or_else(|| "–".to_owned(), lasted), p99),
    ]
}

/// `+18 % on the 7 days before`; where there was too little for a share to say anything, what there was.
fn compared(now: u64, before: u64, range: view::Range) -> String {
    let span = range.label();
    match (now, before) {
        (_, 0) => format!("none in the {span} before"),
        (now, before) if now / before >= 10 => format!("{} in the {span} before", thousands(before)),
        (now, before) if now >= before => format!("+{} on the {span} before", percent(now - before, before)),
        (now, before) => format!("−{} on the {span} before", percent(before - now, before)),
    }
}

fn percent(part: u64, whole: u64) -> String {
    format!("{} %", part.saturating_mul(100) / whole.max(1))
}

fn lasted(micros: u64) -> String {
    match micros / 1000 {
        ms @ 0..1000 => format!("{ms} ms"),
        ms => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
    }
}

fn over_time(range: view::Range, steps: &[(Timestamp, UsageSlice)]) -> Area {
    let label = |at: Timestamp| match range {
        view::Range::Day => format!("{:02}:00", at.time().0),
        _ => date(at).rsplit_once(' ').map(|(day, _)| day.to_owned()).unwrap_or_default(),
    };
    let points = steps.iter().map(|(at, slice)| Point { label: label(*at), value: slice.calls }).collect();
    let step = if range == view::Range::Day { "an hour" } else { "a day" };
    Area { label: format!("Calls {step} in the last {}", range.label()), unit: "Calls".to_owned(), points }
}

fn bar(label: String, slice: UsageSlice) -> Bar {
    Bar { label, value: slice.calls, shown: thousands(slice.calls) }
}

fn model(usage: &ModelUsage) -> Bar {
    let gone = if usage.model.is_some() { "a withdrawn model" } else { "no approved model" };
    bar(usage.name.as_ref().map_or_else(|| gone.to_owned(), ToString::to_string), usage.slice)
}

fn member(usage: &MemberUsage) -> Bar {
    let nobody = if usage.member.is_some() { "a former member" } else { "keys of the organization" };
    bar(usage.person.as_ref().map_or_else(|| nobody.to_owned(), |person| person.name.to_string()), usage.slice)
}

fn refused(refusal: &RefusalUsage) -> view::RefusedRow {
    view::RefusedRow { why: refusal.why(), calls: thousands(refusal.calls), helps: refusal.helps().to_owned() }
}
