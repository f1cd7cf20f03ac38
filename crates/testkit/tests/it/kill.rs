//! A program killed in the midst of changes loses none that it acknowledged and leaves no gap.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use gatewarden_access::{Caller, actions};
use gatewarden_testkit::{Errand, World};
use gatewarden_trail::{Entry, Verifier};
use gatewarden_types::{Job, Seq};

const ROUNDS: usize = 30;

/// Lets the writers write until they have acknowledged so many changes, kills them, and tells what they acknowledged.
fn round(errand: &Errand, changes: usize) -> Vec<(Seq, String)> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_writers"));
    program.args(errand.arguments()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut writers = program.spawn().unwrap();
    let mut told = BufReader::new(writers.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        told.read_line(&mut line).unwrap();
        // A line that the end cut off was not told.
        line.strip_suffix('\n').map(str::to_owned)
    };
    assert_eq!(line().as_deref(), Some("ready"));
    let mut acknowledged = Vec::new();
    for _ in 0..changes {
        acknowledged.push(line().expect("they write until they are killed"));
    }
    writers.kill().unwrap();
    acknowledged.extend(std::iter::from_fn(line));
    assert!(!writers.wait().unwrap().success());
    let read = |line: &String| {
        let (seq, request) = line.split_once(' ').unwrap();
        (seq.parse().unwrap(), request.to_owned())
    };
    acknowledged.iter().map(read).collect()
}

/// Opens what was left and checks all of it; how many entries there are.
async fn check(errand: &Errand, acknowledged: &BTreeMap<Seq, String>) -> Seq {
    let app = errand.open().await.expect("what was killed opens again");
    let caller = Caller::system(Job::Follower, app.store.request_id());
    let read = app.store.read(&caller, errand.organization).await.unwrap();
    let permit = read.permit::<actions::FollowTrail>().unwrap();
    let (key, origin) = (app.store.verifying_key(errand.organization).unwrap(), app.store.origin(errand.organization));
    let kept = read.kept_checkpoints(&permit).await.unwrap();
    let mut verifier = Verifier::new(Some(errand.organization), &kept.notes, key, &origin).unwrap();
    let mut requests = BTreeMap::new();
    for stored in read.stored(&permit, 0, u64::from(u32::MAX)).await.unwrap() {
        verifier.push(&stored).expect("no gap, and each entry with its hash");
        let request = Entry::from_bytes(&stored.bytes).unwrap().request;
        let _new = requests.insert(stored.seq, request.to_string());
    }
    for (seq, request) in acknowledged {
        assert_eq!(requests.get(seq), Some(request), "entry {seq} was acknowledged");
    }
    let verified = verifier.finish().unwrap();
    assert_eq!(verified.folded, read.tables(&permit).await.unwrap(), "no row without its entry, and none half");
    drop(read);
    app.store.checkpoint(errand.organization).await.unwrap();
    verified.size
}

fn kill_again_and_again(errand: &Errand) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut acknowledged = BTreeMap::new();
    for number in 0..ROUNDS {
        let told = round(errand, 1 + number * 7 % 23);
        for (seq, request) in told {
            assert_eq!(acknowledged.insert(seq, request), None, "entry {seq} was acknowledged twice");
        }
        let size = runtime.block_on(check(errand, &acknowledged));
        assert!(size >= acknowledged.len() as u64, "round {number}");
    }
    assert!(acknowledged.len() >= ROUNDS * 10);
}

fn world<T>(made: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(made)
}

#[test]
fn nothing_acknowledged_is_lost_on_sqlite() {
    kill_again_and_again(&world(async { World::sqlite().await.leave() }));
}

#[test]
fn nothing_acknowledged_is_lost_on_postgres() {
    if let Some(errand) = world(async { World::postgres().await.map(World::leave) }) {
        kill_again_and_again(&errand);
    }
}
