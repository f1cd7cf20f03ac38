//! Whatever is done to a kept trail up to its checkpoint, or to a row without its hash, is found.

use gatewarden_trail::{Checkpoint, Finding, Signer, leaf_hash};
use proptest::prelude::*;

use crate::logs::{Log, ORIGIN, entry, log, stored, verify};

type Index = prop::sample::Index;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_trail_that_nobody_touched_is_in_order(log in log()) {
        prop_assert!(verify(&log).is_ok());
    }

    #[test]
    fn a_changed_byte_is_found_at_its_entry(mut log in log(), row in any::<Index>(), byte in any::<Index>(), to in 1u8..) {
        let row = row.index(log.rows.len());
        let byte = byte.index(log.rows[row].bytes.len());
        log.rows[row].bytes[byte] ^= to;
        prop_assert_eq!(verify(&log), Err(Finding::Changed(row as u64 + 1)));
    }

    #[test]
    fn a_forged_entry_with_its_hash_is_found_by_the_checkpoint(mut log in log(), row in any::<Index>(), mut forged in entry()) {
        let row = row.index(log.signed);
        forged.seq = row as u64 + 1;
        log.rows[row] = stored(&forged);
        prop_assert_eq!(verify(&log), Err(Finding::Root(log.signed as u64)));
    }

    #[test]
    fn a_changed_byte_with_its_hash_is_found_no_later_than_the_checkpoint(
        mut log in log(), row in any::<Index>(), byte in any::<Index>(), to in 1u8..,
    ) {
        let row = row.index(log.signed);
        let byte = byte.index(log.rows[row].bytes.len());
        log.rows[row].bytes[byte] ^= to;
        log.rows[row].leaf = Some(leaf_hash(&log.rows[row].bytes));
        let named = match verify(&log) {
            Err(Finding::Unreadable { seq, .. } | Finding::Root(seq)) => seq,
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert!((row as u64 + 1..=log.signed as u64).contains(&named));
    }

    #[test]
    fn swapped_rows_are_found_at_the_first(mut log in log(), one in any::<Index>(), two in any::<Index>()) {
        let (one, two) = (one.index(log.rows.len()), two.index(log.rows.len()));
        prop_assume!(one != two);
        log.rows.swap(one, two);
        // As someone does who also gives each row the other's number.
        let first = one.min(two) as u64 + 1;
        let found = Finding::Gap { expected: first, found: one.max(two) as u64 + 1 };
        prop_assert_eq!(verify(&log), Err(found));
        log.rows.iter_mut().zip(1..).for_each(|(row, seq)| row.seq = seq);
        let renumbered = verify(&log);
        prop_assert!(matches!(renumbered, Err(Finding::Unreadable { seq, .. }) if seq == first), "{renumbered:?}");
    }

    #[test]
    fn a_missing_row_is_found(mut log in log(), row in any::<Index>()) {
        let row = row.index(log.rows.len());
        let last = row + 1 == log.rows.len();
        prop_assume!(!last || row < log.signed);
        log.rows.remove(row);
        let (seq, size) = (row as u64 + 1, log.rows.len() as u64);
        let found = if last {
            Finding::Cut { size, kept: log.signed as u64 }
        } else {
            Finding::Gap { expected: seq, found: seq + 1 }
        };
        prop_assert_eq!(verify(&log), Err(found));
    }

    #[test]
    fn a_tail_cut_back_behind_the_checkpoint_is_found(mut log in log(), at in any::<Index>()) {
        let size = at.index(log.signed);
        log.rows.truncate(size);
        let cut = Finding::Cut { size: size as u64, kept: log.signed as u64 };
        prop_assert_eq!(verify(&log), Err(cut));
    }

    #[test]
    fn a_row_that_stands_twice_is_found(mut log in log(), row in any::<Index>()) {
        let row = row.index(log.rows.len());
        log.rows.insert(row, log.rows[row].clone());
        let found = verify(&log);
        prop_assert!(matches!(found, Err(Finding::Gap { .. })), "{found:?}");
    }

    #[test]
    fn a_lost_hash_is_found(mut log in log(), row in any::<Index>()) {
        let row = row.index(log.rows.len());
        log.rows[row].leaf = None;
        prop_assert_eq!(verify(&log), Err(Finding::NoHash(row as u64 + 1)));
    }

    #[test]
    fn a_note_of_another_key_or_with_other_words_is_no_checkpoint(log in log(), seed in any::<[u8; 32]>()) {
        prop_assume!(seed != [7; 32]);
        let root = verify(&log).unwrap().root;
        let head = Checkpoint { origin: ORIGIN.to_owned(), size: log.rows.len() as u64, root };
        let forged = Log { note: Signer::from_seed(&seed).unwrap().sign(&head), ..log.clone() };
        prop_assert!(matches!(verify(&forged), Err(Finding::Checkpoint(_))));
        let size = format!("\n{}\n", log.signed);
        let edited = Log { note: log.note.replacen(&size, "\n99\n", 1), ..log };
        prop_assert!(matches!(verify(&edited), Err(Finding::Checkpoint(_))));
    }
}
