//! What it takes to verify an exported trail of a million entries: the whole command, from its start to its end.
#![expect(clippy::expect_used, reason = "a benchmark that cannot go on says so and stops")]

#[expect(dead_code, reason = "it needs no database, and of few runs no share")]
#[path = "../../../crates/store/benches/measure/mod.rs"]
mod measure;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use gatewarden_trail::{Change, Checkpoint, Entry, File, Signer, Tiler};
use gatewarden_types::{Account, Actor, Grant, Id, Member, Organization, RecordKind, Target, Timestamp, Via};
use measure::{Figures, conditions, ms, row, verdict};
use serde_json::json;
use uuid::Uuid;

const ENTRIES: u64 = 1_000_000;
const RUNS: usize = 5;
/// In milliseconds.
const TARGET: f64 = 20_000.0;

fn main() {
    conditions();
    let folder = tempfile::tempdir().expect("a folder");
    let size = lay_out(folder.path());
    println!("{ENTRIES} entries of {} bytes on average, in files that were just written\n", size / ENTRIES);
    let mut figures = Figures::default();
    for _ in 0..RUNS {
        let start = Instant::now();
        let mut verify = Command::new(env!("CARGO_BIN_EXE_gatewarden"));
        let status = verify.args(["trail", "verify"]).arg(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(status.status().expect("it runs").success(), "the trail is in order");
        figures.add(start.elapsed());
    }
    row("gatewarden trail verify", &["fastest", "median", "slowest", "target", ""].map(str::to_owned));
    let met = verdict(figures.median() < TARGET);
    row("", &[ms(figures.within(0.0)), ms(figures.median()), ms(figures.within(1.0)), ms(TARGET), met]);
}

/// Writes the folder and answers how many bytes the entries have.
fn lay_out(folder: &Path) -> u64 {
    let organization = Id::from_uuid(Uuid::from_u128(1));
    let (mut tiler, mut bytes) = (Tiler::default(), 0);
    for seq in 1..=ENTRIES {
        let entry = entry(organization, seq).to_bytes().expect("an entry");
        bytes += entry.len() as u64;
        for file in tiler.push(&entry).expect("it fits") {
            write(folder, &file);
        }
    }
    let (rest, tree) = tiler.finish();
    for file in rest {
        write(folder, &file);
    }
    let signer = Signer::from_seed(&[7; 32]).expect("a seed");
    let origin = format!("gatewarden/trail/{organization}/1");
    let key = format!("{}\n", signer.verifying_key().note_form(&origin));
    let note = signer.sign(&Checkpoint { origin, size: tree.size(), root: tree.root() });
    write(folder, &File { path: "key".to_owned(), bytes: key.into_bytes() });
    write(folder, &File { path: "checkpoint".to_owned(), bytes: note.into_bytes() });
    bytes
}

fn write(folder: &Path, file: &File) {
    let path = folder.join(&file.path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("makes it");
    fs::write(path, &file.bytes).expect("writes");
}

/// What a changed role leaves in a trail.
fn entry(organization: Id<Organization>, seq: u64) -> Entry {
    let id = |kind: u128| Uuid::from_u128(kind << 96 | u128::from(seq));
    let member: Id<Member> = Id::from_uuid(id(2));
    let role = Id::from_uuid(id(3));
    let after = json!({
        "id": member, "account": Id::<Account>::from_uuid(id(4)), "role": role, "state": "active", "joined": seq,
    });
    Entry {
        v: Entry::version(),
        organization: Some(organization),
        seq,
        at: Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(seq).unwrap_or_default()),
        actor: Actor::Account(Id::from_uuid(id(5))),
        via: Via::Session(Id::from_uuid(id(6))),
        request: Id::from_uuid(id(7)),
        action: "member.change_role".to_owned(),
        target: Target::of(member),
        grant: Grant::Role { role, member: Id::from_uuid(id(8)) },
        changes: vec![Change { kind: RecordKind::Member, id: member.uuid(), after: Some(after) }],
    }
}
