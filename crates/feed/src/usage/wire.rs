//! Usage records as text: one line of JSON for each, in the spool's files and on the way to a control plane.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::UsageRecord;

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// A text that is not usage records in a version that is known here. Nothing of it is taken for data.
#[derive(Debug, thiserror::Error)]
#[error("line {line} is no usage record that can be read here: {why}")]
pub struct BadUsage {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    call: &'a UsageRecord,
}

/// The version is looked at before anything else is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<'a> {
    v: u32,
    #[serde(borrow)]
    call: &'a RawValue,
}

/// Writes each record as a line that ends in a line feed: `{"v":1,"call":{…}}`.
pub fn encode<'a>(records: impl IntoIterator<Item = &'a UsageRecord>) -> Vec<u8> {
    let mut lines = Vec::new();
    for call in records {
        let whole = lines.len();
        // INVARIANT: a record has no map and no number that JSON cannot hold, and memory takes every byte.
        match serde_json::to_writer(&mut lines, &Written { v: VERSION, call }) {
            Ok(()) => lines.push(b'\n'),
            Err(_) => lines.truncate(whole),
        }
    }
    lines
}

/// Reads lines as [`encode`] writes them. A field that is not known here is refused as well: what it would change is not
/// known either.
///
/// # Errors
/// The first line that cannot be read; then nothing is.
pub fn decode(lines: &[u8]) -> Result<Vec<UsageRecord>, BadUsage> {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let read = lines.split(|byte| *byte == b'\n').enumerate();
    read.map(|(n, line)| record(line).map_err(|why| BadUsage { line: n + 1, why })).collect()
}

fn record(line: &[u8]) -> Result<UsageRecord, String> {
    let Read { v, call } = serde_json::from_slice(line).map_err(|bad| bad.to_string())?;
    if v != VERSION {
        return Err(format!("it has version {v}, and version {VERSION} is known"));
    }
    serde_json::from_str(call.get()).map_err(|bad| bad.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;

    use gatewarden_types::{Id, Timestamp};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{RefusalCode, Tokens};

    fn records() -> impl Strategy<Value = UsageRecord> {
        let ids = (any::<u128>(), any::<u128>(), any::<u128>(), any::<Option<u128>>(), any::<Option<u128>>());
        let counts = (any::<Option<(u64, u64)>>(), any::<u64>(), any::<Option<u64>>(), any::<u64>());
        let ends = (any::<i64>(), any::<u16>(), proptest::option::of("[a-z0-9_]{1,64}"), any::<bool>(), any::<bool>());
        (ids, counts, ends).prop_map(|(ids, counts, (at, status, refused, streamed, complete))| UsageRecord {
            request: Id::from_uuid(Uuid::from_u128(ids.0)),
            at: Timestamp::from_micros(at),
            organization: Id::from_uuid(Uuid::from_u128(ids.1)),
            seq: counts.3,
            key: Id::from_uuid(Uuid::from_u128(ids.2)),
            member: ids.3.map(|id| Id::from_uuid(Uuid::from_u128(id))),
            account: ids.4.map(|id| Id::from_uuid(Uuid::from_u128(id))),
            model: ids.4.map(|id| Id::from_uuid(Uuid::from_u128(id))),
            provider: ids.3.map(|id| Id::from_uuid(Uuid::from_u128(id))),
            status,
            refused: refused.map(|code| RefusalCode::try_from(code).unwrap()),
            streamed,
            complete,
            tokens: counts.0.map(|(read, written)| Tokens { read, written }),
            total_micros: counts.1,
            upstream_micros: counts.2,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(records in prop::collection::vec(records(), 0..4)) {
            let lines = encode(&records);
            prop_assert_eq!(lines.lines().count(), records.len());
            prop_assert_eq!(decode(&lines).unwrap(), records);
        }

        #[test]
        fn half_a_line_is_no_record(record in records(), cut in any::<prop::sample::Index>()) {
            let line = encode([&record]);
            // The line feed alone may be missing.
            let cut = 1 + cut.index(line.len() - 2);
            prop_assert!(decode(&line[..cut]).is_err());
        }
    }

    #[test]
    fn another_version_another_field_and_a_bad_code_are_refused() {
        let line = |v: u32, more: &str, code: &str| {
            let id = |prefix: &str| format!("{prefix}_{}", "0".repeat(26));
            let (request, organization, key) = (id("req"), id("org"), id("key"));
            format!(
                r#"{{"v":{v},"call":{{"request":"{request}","at":1,"organization":"{organization}","seq":1,"key":"{key}",
                "member":null,"account":null,"model":null,"provider":null,"status":200,"refused":"{code}","streamed":false,
                "complete":true,"tokens":null,"total_micros":5,"upstream_micros":null{more}}}}}"#
            )
            .replace('\n', "")
        };
        assert_eq!(decode(line(1, "", "key_revoked").as_bytes()).unwrap().len(), 1);
        let why = |line: String| decode(line.as_bytes()).unwrap_err().why;
        assert!(why(line(2, "", "key_revoked")).contains("version 2"));
        assert!(why(line(1, r#","cost":1"#, "key_revoked")).contains("cost"));
        assert!(why(line(1, "", "Not a code")).contains("code of a refusal"));
        assert_eq!(decode(format!("{}\n\n", line(1, "", "a")).as_bytes()).unwrap_err().line, 2);
    }
}
