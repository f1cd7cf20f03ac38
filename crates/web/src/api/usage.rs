//! Usage: sums over a span, as far as the key's owner may see.

use gatewarden_control::usage::{self, Overview, Range, UsageSlice};
use gatewarden_types::Reach;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::invalid;
use crate::http::{Answer, Fault, KeyHolder};

/// Sums over some calls.
#[derive(Serialize, JsonSchema)]
pub struct Sums {
    /// How many calls.
    pub calls: u64,
    /// How many of them the gateway refused.
    pub refused: u64,
    /// Tokens in prompts.
    pub input_tokens: u64,
    /// Tokens in answers.
    pub output_tokens: u64,
}

/// The sums of an hour or a day.
#[derive(Serialize, JsonSchema)]
pub struct Step {
    /// When it begins, as RFC 3339 has it.
    pub at: String,
    /// Its sums.
    #[serde(flatten)]
    pub sums: Sums,
}

/// The sums of one model or one member.
#[derive(Serialize, JsonSchema)]
pub struct Part {
    /// Its id; null for calls that named no approved model, and for keys of the organization itself.
    pub id: Option<String>,
    /// What it is called, where that may be seen and is still known.
    pub name: Option<String>,
    /// Its sums.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Calls that were refused for one reason.
#[derive(Serialize, JsonSchema)]
pub struct Refusal {
    /// The reason, as the word in the answers.
    pub reason: String,
    /// How many.
    pub calls: u64,
}

/// What happened in a span.
#[derive(Serialize, JsonSchema)]
pub struct Usage {
    /// Whose calls are counted: `all` or `own`.
    pub whose: String,
    /// Everything together.
    pub total: Sums,
    /// The same for the span before.
    pub before: Sums,
    /// Each hour or day, oldest first.
    pub over_time: Vec<Step>,
    /// By model, most calls first.
    pub models: Vec<Part>,
    /// By member, most calls first.
    pub members: Vec<Part>,
    /// What was refused, most calls first.
    pub refusals: Vec<Refusal>,
    /// The latency that half of the answered calls stayed within, in microseconds; null without any.
    pub p50_micros: Option<u64>,
    /// The latency that 99 in 100 of the answered calls stayed within, in microseconds; null without any.
    pub p99_micros: Option<u64>,
}

#[derive(Deserialize)]
struct Asked {
    range: Option<String>,
}

/// The sums of a span.
pub async fn read(sender: KeyHolder) -> Answer {
    let asked: Asked = sender.query()?;
    let range = asked.range.as_deref().map(range).transpose()?.unwrap_or_default();
    let found = usage::overview(&sender.site.app, &sender.caller, sender.organization, range).await?;
    sender.answer(200, None, &shown(found))
}

fn range(word: &str) -> Result<Range, Fault> {
    match word {
        "24h" => Ok(Range::Day),
        "7d" => Ok(Range::Week),
        "30d" => Ok(Range::Month),
        _ => Err(invalid("range", "Use 24h, 7d or 30d.")),
    }
}

fn shown(found: Overview) -> Usage {
    let model = |usage: usage::ModelUsage| Part {
        id: usage.model.map(|id| id.to_string()),
        name: usage.name.map(|name| name.to_string()),
        sums: sums(usage.slice),
    };
    let member = |usage: usage::MemberUsage| Part {
        id: usage.member.map(|id| id.to_string()),
        name: usage.person.map(|person| person.name.to_string()),
        sums: sums(usage.slice),
    };
    let whose = match found.whose {
        Reach::All => "all",
        Reach::Own => "own",
    };
    Usage {
        whose: whose.to_owned(),
        total: sums(found.total),
        before: sums(found.before),
        over_time: found.over_time.iter().map(|(at, slice)| Step { at: at.rfc3339(), sums: sums(*slice) }).collect(),
        models: found.models.into_iter().map(model).collect(),
        members: found.members.into_iter().map(member).collect(),
        refusals: found.refusals.into_iter().map(|row| Refusal { reason: row.reason, calls: row.calls }).collect(),
        p50_micros: found.p50_micros,
        p99_micros: found.p99_micros,
    }
}

fn sums(slice: UsageSlice) -> Sums {
    let UsageSlice { calls, refused, input_tokens, output_tokens } = slice;
    Sums { calls, refused, input_tokens, output_tokens }
}
