use std::{fs, path::Path};

use gatewarden_feed::{Astray, Course, FeedEvent};
use gatewarden_link::{Disk, Start};
use gatewarden_types::{Id, Organization, Seq, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use crate::given::{base, base_of, continued, credential, entropy, entry, organization};

/// A disk with a base at 1 and entries up to 3 in one generation, and a base at 2 in the older one.
fn written() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut disk, start) = open(folder.path());
    assert!(start.recovered.is_none() && start.problems.is_empty());
    begin(&mut disk, &[base(2)]);
    begin(&mut disk, &[base(1)]);
    for event in [entry(2, "Two").0, entry(3, "Three").0, current(77)] {
        disk.keep(&event).unwrap();
    }
    disk.sync().unwrap();
    folder
}

fn begin(disk: &mut Disk, events: &[FeedEvent]) {
    let generation = disk.compose(events).unwrap();
    disk.begin(generation).unwrap();
}

/// As at a start: what was found is written once more.
fn renew(disk: &mut Disk, start: Start) {
    let generation = disk.compose(&start.recovered.unwrap().events).unwrap();
    disk.renew(generation).unwrap();
}

fn current(at: i64) -> FeedEvent {
    FeedEvent::Current { organization: organization().id, at: Timestamp::from_micros(at) }
}

fn open(folder: &Path) -> (Disk, Start) {
    Disk::open(folder, credential(1), organization().id, entropy())
}

fn position(start: &Start) -> Option<Seq> {
    start.recovered.as_ref()?.course.position().map(|position| position.seq)
}

/// The newer generation's file: the first base went into the second slot, and the next one back into the first.
fn newest(folder: &Path) -> std::path::PathBuf {
    folder.join("policy-1")
}

#[test]
fn what_was_kept_is_what_comes_back() {
    let folder = written();
    let start = open(folder.path()).1;
    assert_eq!(position(&start), Some(3));
    let recovered = start.recovered.unwrap();
    assert_eq!(recovered.events, [base(1), entry(2, "Two").0, entry(3, "Three").0]);
    assert_eq!(recovered.heard, Some(Timestamp::from_micros(77)));
    assert_eq!(recovered.course.position().unwrap().head, entry(3, "Three").1);
}

#[test]
fn every_changed_bit_is_found_and_the_other_generation_is_used() {
    let folder = written();
    let whole = fs::read(newest(folder.path())).unwrap();
    let step = (whole.len() * 8 / 1000).max(1);
    for bit in (0..whole.len() * 8).step_by(step) {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(newest(folder.path()), &changed).unwrap();
        let start = open(folder.path()).1;
        // A length that became longer than what is there reads as the end of a program that died: what came before it is
        // good, and was the policy.
        assert!(matches!(position(&start), Some(2 | 3)), "bit {bit}");
        assert_eq!(start.problems.len(), 1, "bit {bit}");
    }
}

#[test]
fn however_it_is_cut_what_is_used_was_once_the_policy() {
    let folder = written();
    let whole = fs::read(newest(folder.path())).unwrap();
    for length in 0..whole.len() {
        fs::write(newest(folder.path()), &whole[..length]).unwrap();
        let start = open(folder.path()).1;
        let at = position(&start).unwrap();
        assert!(at == 2 || at == 3, "{length}: {at}");
        assert!(start.problems.len() <= 1);
    }
}

#[test]
fn another_gateways_another_organizations_and_an_unknown_form_are_refused() {
    let folder = written();
    fs::remove_file(folder.path().join("policy-2")).unwrap();
    let start = Disk::open(folder.path(), credential(2), organization().id, entropy()).1;
    assert!(start.recovered.is_none() && start.problems[0].contains("does not open"), "{:?}", start.problems);
    let other = Id::from_uuid(Uuid::from_u128(2));
    let start = Disk::open(folder.path(), credential(1), other, entropy()).1;
    assert!(start.recovered.is_none() && start.problems[0].contains("another organization"), "{:?}", start.problems);
    let newer = String::from_utf8_lossy(b"gatewarden kept policy 2\n").into_owned();
    fs::write(newest(folder.path()), newer).unwrap();
    assert!(open(folder.path()).1.problems[0].contains("not in the form"));
}

#[test]
fn a_generation_is_written_beside_the_best_one() {
    let folder = written();
    let (mut disk, start) = open(folder.path());
    let events = start.recovered.unwrap().events;
    begin(&mut disk, &events);
    disk.keep(&entry(4, "Four").0).unwrap();
    assert_eq!(position(&open(folder.path()).1), Some(4));
    fs::write(folder.path().join("policy-2"), "gone wrong").unwrap();
    let start = open(folder.path()).1;
    assert_eq!((position(&start), start.problems.len()), (Some(3), 1), "the one before is still there");
}

#[test]
fn what_could_not_be_followed_never_takes_the_place_of_what_could() {
    let folder = written();
    let (mut disk, start) = open(folder.path());
    let good = position(&start);
    begin(&mut disk, &[base(7)]);
    for another in [8, 9, 10] {
        disk.doubt(None).unwrap();
        assert_eq!(position(&open(folder.path()).1), good, "the last that was followed is still there");
        begin(&mut disk, &[base(another)]);
    }
    assert_eq!(position(&open(folder.path()).1), Some(10));
}

#[test]
fn an_entry_that_could_not_be_followed_takes_nothing_away_from_its_generation() {
    let folder = written();
    let (mut disk, start) = open(folder.path());
    renew(&mut disk, start);
    disk.keep(&entry(4, "Four").0).unwrap();
    disk.doubt(Some((1, 3))).unwrap();
    assert_eq!(position(&open(folder.path()).1), Some(4), "what came before the entry is followed from here");
    begin(&mut disk, &[base(7)]);
    disk.doubt(Some((2, 1))).unwrap();
    assert_eq!(position(&open(folder.path()).1), Some(7), "a new epoch begins after all of the one before");
    disk.doubt(Some((1, 3))).unwrap();
    assert_eq!(position(&open(folder.path()).1), Some(4), "of the new one nothing is");
}

#[test]
fn of_two_that_lead_as_far_the_one_begun_later_is_used_whatever_the_clock_said() {
    let folder = tempfile::tempdir().unwrap();
    let (mut disk, _) = open(folder.path());
    begin(&mut disk, &[base(2), entry(3, "Three").0, current(900)]);
    begin(&mut disk, &[base(3), current(100)]);
    let start = open(folder.path()).1;
    assert_eq!(start.recovered.as_ref().unwrap().heard, Some(Timestamp::from_micros(100)));
    let (mut disk, _) = open(folder.path());
    begin(&mut disk, &[base(3), current(50)]);
    assert_eq!(open(folder.path()).1.recovered.unwrap().heard, Some(Timestamp::from_micros(50)), "also after a start");
}

#[test]
fn a_restart_does_not_write_over_the_generation_before() {
    let folder = written();
    let good = position(&open(folder.path()).1);
    let (mut disk, _) = open(folder.path());
    begin(&mut disk, &[base(7)]);
    for _ in 0..3 {
        let (mut disk, start) = open(folder.path());
        renew(&mut disk, start);
    }
    let (mut disk, _) = open(folder.path());
    disk.doubt(None).unwrap();
    assert_eq!(position(&open(folder.path()).1), good);
    disk.doubt(None).unwrap();
    assert_eq!(position(&open(folder.path()).1), good, "the only one is kept whatever it is");
}

#[test]
fn no_policy_is_left_of_a_gateway_that_was_removed_and_a_restart_knows_that_none_comes() {
    let folder = written();
    fs::write(folder.path().join("enrolment.json"), "{}").unwrap();
    let (mut disk, start) = open(folder.path());
    assert!(!start.removed);
    disk.forget().unwrap();
    let start = open(folder.path()).1;
    assert!(start.recovered.is_none() && start.problems.is_empty() && start.removed);
    assert!(folder.path().join("enrolment.json").is_file(), "what it has still to hand over needs that");
    assert!(!folder.path().join("policy-1").exists() && !folder.path().join("policy-2").exists());
    // As where the program was killed before all of it was removed.
    let (mut disk, _) = open(folder.path());
    begin(&mut disk, &[base(7)]);
    assert!(folder.path().join("policy-1").exists() || folder.path().join("policy-2").exists());
    let start = open(folder.path()).1;
    assert!(start.recovered.is_none() && start.removed, "it was removed for good");
    assert!(!folder.path().join("policy-1").exists() && !folder.path().join("policy-2").exists());
}

#[test]
fn what_a_kill_left_half_written_is_removed_at_the_next_start() {
    let folder = written();
    let names = |folder: &Path| -> Vec<_> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names(folder.path());
    fs::write(folder.path().join("draft-Xy12ab"), "the first half of a policy").unwrap();
    assert_eq!(position(&open(folder.path()).1), Some(3));
    assert_eq!(names(folder.path()), before);
    fs::create_dir(folder.path().join("draft-in-the-way")).unwrap();
    let start = open(folder.path()).1;
    assert_eq!(position(&start), Some(3), "and where it cannot be removed, that is told");
    assert!(start.problems[0].contains("of no more use"), "{:?}", start.problems);
}

#[test]
fn no_other_history_is_taken_but_by_a_new_epoch() {
    let mut course = Course::new(organization().id);
    for event in [base(1), entry(2, "Two").0, entry(3, "Three").0] {
        course.take(&event).unwrap();
    }
    let before = course.position();
    assert_eq!(course.take(&base(2)), Err(Astray::Older { theirs: 2, ours: 3 }));
    assert_eq!(course.take(&base(9)), Err(Astray::Forked(3)), "that it leads further does not make it the same");
    assert_eq!(course.take(&entry(5, "Five").0), Err(Astray::Gap { due: 4, found: 5 }));
    course.want_base();
    assert_eq!(course.take(&base(3)), Err(Astray::Forked(3)), "also where a base is wanted");
    assert_eq!(course.position(), before);
    course.take(&continued(9)).unwrap();
    let restored = Organization { epoch: 2, ..organization() };
    course.take(&base_of(restored, 2, false)).unwrap();
    assert_eq!(course.at(), Some((2, 2)));
    assert_eq!(course.take(&base(9)), Err(Astray::Older { theirs: 9, ours: 2 }), "an epoch that is over");
}

proptest! {
    #[test]
    fn nothing_on_disk_is_too_strange_to_refuse(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let folder = tempfile::tempdir().unwrap();
        let titled = [b"gatewarden kept policy 1\n".as_slice(), &bytes].concat();
        for content in [&bytes, &titled] {
            fs::write(newest(folder.path()), content).unwrap();
            let start = open(folder.path()).1;
            prop_assert!(start.recovered.is_none());
            prop_assert_eq!(start.problems.len(), 1);
        }
    }
}
