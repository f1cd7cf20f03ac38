//! What the trail costs: changes of a member's role per second as the program makes them, beside the same changes
//! without an entry, in turns within one run.
#![expect(clippy::expect_used, reason = "a benchmark that cannot go on says so and stops")]

#[path = "../measure/mod.rs"]
mod measure;
mod without;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use gatewarden_control::{
    App, Caller,
    members::{ChangeMemberRole, change_role},
};
use gatewarden_testkit::{Someone, World};
use gatewarden_types::{Builtin, Id, Member, Organization, Role};
use measure::{Figures, conditions, ms, row, verdict};
use tokio::task::JoinSet;
use without::Without;

/// How many write at once, and to how many organizations.
const SETTINGS: [(usize, usize); 3] = [(1, 1), (16, 1), (16, 16)];
/// Many and short, so that what else the machine does falls on both of a round or is lost in the median.
const ROUNDS: usize = 41;
/// How long each of the two goes on in a round.
const WINDOW: Duration = Duration::from_millis(250);
/// Connections to PostgreSQL of each of the two: as many as the program has unless it is told otherwise.
const CONNECTIONS: u32 = 16;
const TARGET: f64 = 0.8;

fn main() -> std::io::Result<()> {
    conditions();
    tokio::runtime::Runtime::new()?.block_on(async {
        let columns = ["with", "p99", "without", "p99", "ratio", "half of them", "min–max", "target", ""];
        row("changes per second", &columns.map(str::to_owned));
        for (backend, world) in measure::worlds().await {
            let bed = Bed::new(&world).await;
            for (writers, organizations) in SETTINGS {
                let (mut with, mut without) = (Run::default(), Run::default());
                bed.rounds(writers, organizations, &mut with, &mut without).await;
                report(&format!("{backend}, {writers} on {organizations}"), &with, &without);
            }
        }
    });
    Ok(())
}

/// What a writer needs: who acts, where, and whose role it changes.
#[derive(Clone)]
struct Writer {
    owner: Someone,
    organization: Id<Organization>,
    member: Id<Member>,
    roles: [Id<Role>; 2],
    /// How many changes it made.
    done: Arc<AtomicUsize>,
}

impl Writer {
    /// The next change: each gives the member the other of two roles.
    fn next(&self) -> (Caller, ChangeMemberRole) {
        let [first, second] = self.roles;
        let role = if self.done.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { first } else { second };
        (self.owner.caller(), ChangeMemberRole { member: self.member, role, seen: None })
    }
}

/// Both ways to make a change.
#[derive(Clone)]
struct Bed {
    app: App,
    without: Arc<Without>,
    /// Sixteen, by how many organizations they write to.
    on_one: Vec<Writer>,
    on_sixteen: Vec<Writer>,
}

/// What came of the rounds of one of the two.
#[derive(Default)]
struct Run {
    per_second: Vec<f64>,
    latency: Figures,
}

impl Bed {
    async fn new(world: &World) -> Self {
        let (mut on_one, mut on_sixteen) = (Vec::new(), Vec::new());
        for n in 0..16 {
            let house = world.found(&format!("house-{n}")).await;
            let roles = [house.role(Builtin::Viewer), house.role(Builtin::Member)];
            let writer = |member| {
                let (owner, organization) = (house.owner.clone(), house.id);
                Writer { owner, organization, member, roles, done: Arc::default() }
            };
            on_sixteen.push(writer(house.join(&format!("Mover {n}"), Builtin::Member).await.id()));
            if n == 0 {
                for other in 0..16 {
                    on_one.push(writer(house.join(&format!("One {other}"), Builtin::Member).await.id()));
                }
            }
        }
        let organizations = on_sixteen.iter().map(|writer| writer.organization);
        let without = Arc::new(Without::open(world, organizations, CONNECTIONS).await.expect("the database opens"));
        let app = world.open_with(CONNECTIONS).await.expect("the database opens");
        Self { app, without, on_one, on_sixteen }
    }

    async fn rounds(&self, writers: usize, organizations: usize, with: &mut Run, without: &mut Run) {
        let all = if organizations == 1 { &self.on_one } else { &self.on_sixteen };
        let writers = all.get(..writers).unwrap_or(all);
        self.round(writers, true, &mut Run::default()).await;
        self.round(writers, false, &mut Run::default()).await;
        for round in 0..ROUNDS {
            // Who goes first changes, so that a drift of the machine falls on both.
            if round % 2 == 0 {
                self.round(writers, true, with).await;
                self.round(writers, false, without).await;
            } else {
                self.round(writers, false, without).await;
                self.round(writers, true, with).await;
            }
        }
    }

    async fn round(&self, writers: &[Writer], with_trail: bool, run: &mut Run) {
        let (start, mut tasks) = (Instant::now(), JoinSet::new());
        for writer in writers.iter().cloned() {
            tasks.spawn(self.clone().write(writer, with_trail, start + WINDOW));
        }
        let took: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
        #[expect(clippy::cast_precision_loss, reason = "there are thousands")]
        run.per_second.push(took.len() as f64 / start.elapsed().as_secs_f64());
        for took in took {
            run.latency.add(took);
        }
    }

    async fn write(self, writer: Writer, with_trail: bool, end: Instant) -> Vec<Duration> {
        let mut took = Vec::new();
        loop {
            let start = Instant::now();
            if start >= end {
                return took;
            }
            let (caller, command) = writer.next();
            if with_trail {
                let changed = change_role(&self.app, &caller, writer.organization, command).await;
                changed.expect("an owner changes roles");
            } else {
                let changed = self.without.change_role(caller, writer.organization, command).await;
                changed.expect("an owner changes roles");
            }
            took.push(start.elapsed());
        }
    }
}

fn report(name: &str, with: &Run, without: &Run) {
    let ratios = with.per_second.iter().zip(&without.per_second).map(|(with, without)| with / without).collect();
    let ratios = sorted(ratios);
    let (least, most) = (ratios.first().unwrap_or(&0.0), ratios.last().unwrap_or(&0.0));
    let quarter = |n: usize| ratios.get(ratios.len() * n / 4).copied().unwrap_or_default();
    let ratio = middle(&ratios);
    let cells = [
        format!("{:.0}/s", middle(&sorted(with.per_second.clone()))),
        ms(with.latency.p99()),
        format!("{:.0}/s", middle(&sorted(without.per_second.clone()))),
        ms(without.latency.p99()),
        format!("{ratio:.2}"),
        format!("{:.2}–{:.2}", quarter(1), quarter(3)),
        format!("{least:.2}–{most:.2}"),
        format!("≥ {TARGET}"),
        verdict(ratio >= TARGET),
    ];
    row(name, &cells);
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
