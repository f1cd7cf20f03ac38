//! Usage records as bytes, in the spool's files and on the way to a control plane: a byte for the version, and the records as
//! [postcard](https://postcard.jamesmunns.com) writes a list. It is written and read for each call there is, which as JSON took
//! a tenth of the gateway's time.

use super::UsageRecord;

/// The version that is written, and the only one that is read. Whatever changes a record's fields counts it up: the bytes
/// name none of them.
const VERSION: u8 = 2;

/// How many calls are handed over to a control plane at once: shorter than [`LONGEST_BODY`](crate::LONGEST_BODY).
pub const MOST: usize = 64;

/// Bytes that are not usage records in a version that is known here. Nothing of them is taken for data.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUsage {
    /// It was written by another release.
    #[error("these usage records have version {0}, and version {VERSION} is known here")]
    Version(u8),
    /// It was changed or cut, or never was one.
    #[error("these are no usage records that can be read here: {0}")]
    Unreadable(String),
}

/// Writes records, any number of them.
pub fn encode(records: &[UsageRecord]) -> Vec<u8> {
    // INVARIANT: a record has nothing that the form cannot hold, and memory takes every byte.
    postcard::to_extend(records, vec![VERSION]).unwrap_or_default()
}

/// Reads what [`encode`] has written.
///
/// # Errors
/// Where anything of it cannot be read, or something follows it; then none of the records is.
pub fn decode(bytes: &[u8]) -> Result<Vec<UsageRecord>, BadUsage> {
    let unreadable = |why: &dyn ToString| BadUsage::Unreadable(why.to_string());
    let (version, records) = bytes.split_first().ok_or_else(|| unreadable(&"there is nothing"))?;
    if *version != VERSION {
        return Err(BadUsage::Version(*version));
    }
    let (records, rest) = postcard::take_from_bytes(records).map_err(|bad| unreadable(&bad))?;
    if rest.is_empty() { Ok(records) } else { Err(unreadable(&"something follows them")) }
}

#[cfg(test)]
mod tests {
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

    fn one(refused: &str) -> UsageRecord {
        UsageRecord {
            request: Id::from_uuid(Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)),
            at: Timestamp::from_micros(-1),
            organization: Id::from_uuid(Uuid::from_u128(2)),
            seq: 300,
            key: Id::from_uuid(Uuid::from_u128(3)),
            member: None,
            account: None,
            model: Some(Id::from_uuid(Uuid::from_u128(4))),
            provider: None,
            status: 403,
            refused: Some(RefusalCode::try_from(refused.to_owned()).unwrap()),
            streamed: false,
            complete: true,
            tokens: Some(Tokens { read: 1, written: 128 }),
            total_micros: 5,
            upstream_micros: None,
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(records in prop::collection::vec(records(), 0..4)) {
            prop_assert_eq!(decode(&encode(&records)).unwrap(), records);
        }

        #[test]
        fn nothing_that_is_cut_is_read(records in prop::collection::vec(records(), 1..4), cut in any::<prop::sample::Index>()) {
            let bytes = encode(&records);
            prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
        }
    }

    /// A spool outlasts the release that wrote it: bytes of this version must never mean something else.
    #[test]
    fn the_form_of_this_version_stays_as_it_is() {
        let expected = "02 01 10 0102030405060708090a0b0c0d0e0f10 01 10 00000000000000000000000000000002 ac02 \
            10 00000000000000000000000000000003 00 00 01 10 00000000000000000000000000000004 00 9303 01 01 61 00 01 \
            01 01 8001 05 00";
        let digits = expected.replace(' ', "");
        let expected: Vec<u8> =
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
        assert_eq!(encode(&[one("a")]), expected);
    }

    #[test]
    fn another_version_more_than_there_should_be_and_a_bad_code_are_refused() {
        let good = encode(&[one("key_revoked")]);
        let changed = |change: fn(&mut Vec<u8>)| {
            let mut bytes = good.clone();
            change(&mut bytes);
            decode(&bytes).unwrap_err().to_string()
        };
        assert_eq!(decode(br#"{"v":1,"call":{}}"#), Err(BadUsage::Version(b'{')));
        assert!(changed(|bytes| bytes.push(0)).contains("follows"));
        assert!(changed(Vec::clear).contains("nothing"));
        let code = |bytes: &mut Vec<u8>| {
            let at = bytes.windows(3).position(|three| three == b"key").unwrap();
            bytes[at] = b'K';
        };
        assert!(changed(code).contains("no usage records"));
    }
}
