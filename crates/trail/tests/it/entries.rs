//! Entries have one form, read back as they were, and fold the same in parts.

use gatewarden_trail::{BadEntry, Entry, Folded, MAX_ENTRY_BYTES, fold};
use proptest::prelude::*;

use crate::logs::{entries, entry, log, verify};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn an_entry_reads_back_as_it_was(entry in entry()) {
        let bytes = entry.to_bytes().unwrap();
        prop_assert_eq!(&Entry::from_bytes(&bytes).unwrap(), &entry);
        prop_assert_eq!(Entry::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
    }

    /// The same content in another form has another hash, so it is refused before anybody trusts it.
    #[test]
    fn any_other_form_of_an_entry_is_refused(entry in entry(), at in any::<prop::sample::Index>()) {
        let text = String::from_utf8(entry.to_bytes().unwrap()).unwrap();
        let spaced = format!(" {text}");
        let pretty = serde_json::to_string_pretty(&entry).unwrap();
        let escaped = text.replacen("\"seq\"", "\"s\\u0065q\"", 1);
        let declared = serde_json::to_string(&entry).unwrap();
        let exponent = text.replacen("\"v\":1", "\"v\":1e0", 1);
        let doubled = text.replacen("\"v\":1", "\"v\":1,\"v\":1", 1);
        let unknown = text.replacen("\"v\":1", "\"v\":1,\"w\":1", 1);
        for other in [spaced, pretty, escaped, declared, exponent, doubled, unknown] {
            prop_assert!(other != text);
            let refused = Entry::from_bytes(other.as_bytes());
            prop_assert!(matches!(refused, Err(BadEntry::NotCanonical | BadEntry::Form(_))), "{other}");
        }
        let cut = &text.as_bytes()[..at.index(text.len())];
        prop_assert!(Entry::from_bytes(cut).is_err());
    }

    #[test]
    fn garbage_is_refused_without_a_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(Entry::from_bytes(&bytes).is_err());
    }

    #[test]
    fn folding_in_two_parts_is_folding_once(entries in entries(), at in any::<prop::sample::Index>()) {
        let (base, tail) = entries.split_at(at.index(entries.len()));
        let mut parts = Folded::new();
        for entry in base.iter().chain(tail) {
            fold(&mut parts, entry);
        }
        let mut whole = Folded::new();
        for entry in &entries {
            fold(&mut whole, entry);
        }
        prop_assert_eq!(&parts, &whole);
        // What is left of each record is what its last entry says.
        for ((kind, id), (seq, after)) in &whole {
            let last = entries.iter().rfind(|entry| entry.changes.iter().any(|c| (c.kind, c.id) == (*kind, *id)));
            prop_assert_eq!(last.map(|entry| entry.seq), Some(*seq));
            let change = last.and_then(|entry| entry.changes.iter().rfind(|c| (c.kind, c.id) == (*kind, *id)));
            prop_assert_eq!(change.and_then(|change| change.after.as_ref()), Some(after));
        }
    }

    #[test]
    fn a_verified_trail_folds_as_its_entries_do(log in log()) {
        let verified = verify(&log).unwrap();
        let mut folded = Folded::new();
        for row in &log.rows {
            fold(&mut folded, &Entry::from_bytes(&row.bytes).unwrap());
        }
        prop_assert_eq!((verified.size, verified.folded), (log.rows.len() as u64, folded));
    }

    /// Canonical JSON writes numbers as doubles, which cannot tell 2^53 from 2^53 + 1.
    #[test]
    fn a_number_that_would_be_rounded_is_refused(mut entry in entry(), beyond in (1i64 << 53) + 1..) {
        entry.changes.push(gatewarden_trail::Change {
            kind: gatewarden_types::RecordKind::Key,
            id: uuid::Uuid::nil(),
            after: Some(serde_json::json!({ "nested": [{ "expires": beyond }] })),
        });
        prop_assert!(matches!(entry.to_bytes(), Err(BadEntry::Rounded)));
    }
}

#[test]
fn an_entry_that_is_too_long_is_neither_written_nor_read() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut entry = proptest::strategy::ValueTree::current(&entry().new_tree(&mut runner).unwrap());
    entry.action = "x".repeat(MAX_ENTRY_BYTES);
    assert!(matches!(entry.to_bytes(), Err(BadEntry::TooLong(_))));
    assert!(matches!(Entry::from_bytes(&vec![b' '; MAX_ENTRY_BYTES + 1]), Err(BadEntry::TooLong(_))));
}

#[test]
fn a_newer_version_is_named_as_such() {
    assert!(matches!(Entry::from_bytes(br#"{"new":true,"v":2}"#), Err(BadEntry::Version(2))));
}
