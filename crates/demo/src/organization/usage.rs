//! A month of calls, as a gateway would have reported them.

use gatewarden_control::{
    App, Error,
    usage::{Observed, UsageRecord, ingest},
};
use gatewarden_types::{Id, Key, Member, Model, Organization, Timestamp};

/// How far back it goes.
const DAYS: i64 = 30;
const DAY: i64 = 86_400;

/// Whoever calls.
pub struct Caller {
    pub key: Id<Key>,
    pub member: Id<Member>,
}

/// Reports calls on each of the last thirty days: more on working days, some refused, few failed.
pub async fn month(
    app: &App,
    organization: Id<Organization>,
    callers: &[Caller],
    models: &[Model],
) -> Result<(), Error> {
    let mut dice = Dice(app.entropy.bytes::<8>().map(u64::from).iter().fold(1, |seed, byte| seed << 8 | byte));
    let now = app.clock.now();
    let mut calls = Vec::new();
    for ago in 0..DAYS {
        let quiet = (now.plus_seconds(-ago * DAY).seconds() / DAY + 4) % 7 >= 5;
        for _ in 0..(if quiet { 6 } else { 30 } + dice.up_to(12)) {
            let second = i64::try_from(dice.up_to(DAY.unsigned_abs())).unwrap_or_default();
            let at = now.plus_seconds(-ago * DAY - second);
            if let Some(record) = call(app, at, callers, models, &mut dice) {
                calls.push(Observed { organization, record });
            }
        }
    }
    Ok(ingest(app, calls).await?)
}

fn call(app: &App, at: Timestamp, callers: &[Caller], models: &[Model], dice: &mut Dice) -> Option<UsageRecord> {
    // The first in each list is called more often than the last.
    let caller = dice.chosen(callers)?;
    let model = dice.chosen(models)?;
    let (status, refused) = match dice.up_to(40) {
        0 => (404, Some("model_not_found")),
        1 => (403, Some("key_model")),
        2 => (502, None),
        _ => (200, None),
    };
    let answered = status == 200;
    let upstream = if refused.is_some() { 0 } else { 180_000 + dice.up_to(1_900_000) };
    Some(UsageRecord {
        id: Id::new(at, &app.entropy),
        at,
        key: caller.key,
        member: Some(caller.member),
        model: refused.is_none().then_some(model.id),
        provider: refused.is_none().then_some(model.provider),
        status,
        refused: refused.map(str::to_owned),
        input_tokens: if answered { 40 + dice.up_to(1_800) } else { 0 },
        output_tokens: if answered { 10 + dice.up_to(700) } else { 0 },
        latency_micros: upstream + 300 + dice.up_to(900),
        upstream_micros: upstream,
        decided_under: 1,
    })
}

/// Numbers that look thrown (xorshift64): nothing depends on them but how the charts look.
struct Dice(u64);

impl Dice {
    /// A number below `bound`.
    fn up_to(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }

    fn chosen<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let bound = self.up_to(from.len() as u64) + 1;
        from.get(usize::try_from(self.up_to(bound)).ok()?)
    }
}
