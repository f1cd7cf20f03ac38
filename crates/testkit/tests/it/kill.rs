//! A program killed in the midst of changes loses none that it acknowledged and leaves no gap.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use gatewarden_access::{Caller, actions};
use gatewarden_control::App;
use gatewarden_testkit::{Errand, World};
use gatewarden_trail::{Entry, Verifier};
use gatewarden_types::{Job, Seq};
use tokio::runtime::{Builder, Runtime};

const ROUNDS: usize = 30;

const WITHOUT_ITS_SECRET: &str = "SELECT name FROM providers
    WHERE credential IS NOT NULL AND credential NOT IN (SELECT digest FROM credentials)";
const WITHOUT_ITS_PROVIDER: &str = "SELECT digest FROM credentials
    WHERE digest NOT IN (SELECT credential FROM providers WHERE credential IS NOT NULL)";

/// Lets the writers write until they have acknowledged so many changes, kills them, and tells what they acknowledged.
fn round(errand: &Errand, what: &str, changes: usize) -> Vec<String> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_writers"));
    program.arg(what).args(errand.arguments()).stdin(Stdio::null()).stdout(Stdio::piped());
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
    acknowledged
}

/// Each request that was acknowledged, and the entry that it made where that was told.
type Acknowledged = BTreeMap<String, Option<Seq>>;

/// Opens what was left and checks all of it; how many entries there are.
async fn check(errand: &Errand, acknowledged: &Acknowledged) -> Seq {
    let app = errand.open().await.expect("what was killed opens again");
    let caller = Caller::system(Job::Follower, app.store.request_id());
    let read = app.store.read(&caller, errand.organization).await.unwrap();
    let permit = read.permit::<actions::FollowTrail>().unwrap();
    let log = app.store.log(errand.organization).unwrap();
    let kept = read.kept_checkpoints(&permit).await.unwrap();
    let read = app.store.read(&caller, errand.organization).await.unwrap();
    let permit = read.permit::<actions::FollowTrail>().unwrap();
    let mut verifier = Verifier::new(Some(errand.organization), &kept.notes, &log).unwrap();
    let mut requests = BTreeMap::new();
    for stored in read.stored(&permit, 0, u64::from(u32::MAX)).await.unwrap() {
        verifier.push(&stored).expect("no gap, and each entry with its hash");
        let request = Entry::from_bytes(&stored.bytes).unwrap().request;
        assert_eq!(requests.insert(request.to_string(), stored.seq), None, "{request} made one entry");
    }
    for (request, seq) in acknowledged {
        let kept = requests.get(request).expect("what was acknowledged is there");
        assert!(seq.is_none_or(|seq| seq == *kept), "{request} made entry {kept} and not {seq:?}");
    }
    let verified = verifier.finish().unwrap();
    assert_eq!(verified.folded, read.tables(&permit).await.unwrap(), "no row without its entry, and none half");
    drop(read);
    for misplaced in [WITHOUT_ITS_SECRET, WITHOUT_ITS_PROVIDER] {
        assert_eq!(errand.beneath().await.texts(misplaced).await, Vec::<String>::new());
    }
    app.store.checkpoint(errand.organization).await.unwrap();
    verified.size
}

fn kill_changes(errand: &Errand) {
    let runtime = runtime();
    let mut acknowledged = Acknowledged::new();
    for number in 0..ROUNDS {
        for line in round(errand, "change", 1 + number * 7 % 23) {
            let (seq, request) = line.split_once(' ').unwrap();
            assert_eq!(acknowledged.insert(request.to_owned(), seq.parse().ok()), None, "{request} was told twice");
        }
        let size = runtime.block_on(check(errand, &acknowledged));
        assert!(size >= acknowledged.len() as u64, "round {number}");
    }
    assert!(acknowledged.len() >= ROUNDS * 10);
}

fn kill_foundings(errand: &Errand) {
    let runtime = runtime();
    let mut known = runtime.block_on(async { places(&errand.open().await.unwrap()).await });
    let mut unknown = 0;
    for number in 0..ROUNDS {
        let told = round(errand, "found", number % 3);
        runtime.block_on(async {
            let app = errand.open().await.expect("what was killed opens again");
            errand.assert_nothing_half(&app).await;
            let places = places(&app).await;
            for slug in &told {
                assert!(places.contains(slug), "{slug} was acknowledged");
            }
            // Those that nobody was told of as well.
            for slug in places.difference(&known) {
                errand.assert_whole(&app, slug).await;
                unknown += usize::from(!told.contains(slug));
            }
            known = places;
        });
    }
    assert!(known.len() > ROUNDS / 2, "{unknown} organizations were finished after a kill");
}

async fn places(app: &App) -> BTreeSet<String> {
    app.store.places().await.unwrap().into_iter().map(|place| place.slug.to_string()).collect()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn sqlite() -> Errand {
    runtime().block_on(async { World::sqlite().await.leave() })
}

fn postgres() -> Option<Errand> {
    runtime().block_on(async { World::postgres().await.map(World::leave) })
}

#[test]
fn no_acknowledged_change_is_lost_on_sqlite() {
    kill_changes(&sqlite());
}

#[test]
fn no_acknowledged_change_is_lost_on_postgres() {
    if let Some(errand) = postgres() {
        kill_changes(&errand);
    }
}

#[test]
fn no_organization_is_left_half_made_on_sqlite() {
    kill_foundings(&sqlite());
}

#[test]
fn no_organization_is_left_half_made_on_postgres() {
    if let Some(errand) = postgres() {
        kill_foundings(&errand);
    }
}
