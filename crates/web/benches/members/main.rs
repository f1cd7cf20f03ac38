//! The page of members at 10,000 members: how long the server takes from the request with its session to the last
//! byte of the page, and how much of that is the use case.
#![expect(clippy::expect_used, reason = "a benchmark that cannot go on says so and stops")]

mod browser;
mod fill;
#[path = "../../../store/benches/measure/mod.rs"]
mod measure;

use std::time::Instant;

use gatewarden_control::members::{self, ListMembers, MemberFilter, MemberOrder, MemberRow, MemberSort, PageFrom};
use gatewarden_testkit::World;
use gatewarden_types::{Builtin, MemberState};
use measure::{Figures, conditions, ms, row, verdict};

/// As many rows as the console shows on a page.
const ROWS: u64 = 50;
const WARM_UP: usize = 10;
const TIMES: usize = 100;
/// In milliseconds, for the median of the whole request.
const TARGET: f64 = 10.0;

/// A page that people open: as an address, and as the use case is asked for it.
struct Case {
    name: &'static str,
    query: String,
    command: ListMembers,
}

fn main() {
    conditions();
    // As in the program: a worker of the console has one thread.
    actix_web::rt::System::new().block_on(async {
        for (backend, world) in measure::worlds().await {
            fill::fill(&world).await;
            let columns = ["use case", "p99", "whole request", "p99", "target", ""];
            row(&format!("{backend}, {} members", fill::MEMBERS), &columns.map(str::to_owned));
            let door = browser::open(&world).await;
            for case in cases(&world).await {
                let (mut alone, mut whole) = (Figures::default(), Figures::default());
                for n in 0..WARM_UP + TIMES {
                    let start = Instant::now();
                    members::list(world.app(), &world.owner().caller(), world.org(), case.command.clone())
                        .await
                        .expect("an owner lists members");
                    let listed = Instant::now();
                    door.get(&case.query).await;
                    if n >= WARM_UP {
                        alone.add(listed - start);
                        whole.add(listed.elapsed());
                    }
                }
                report(case.name, &alone, &whole);
            }
            println!();
        }
    });
}

fn report(name: &str, alone: &Figures, whole: &Figures) {
    let cells = [alone.median(), alone.p99(), whole.median(), whole.p99()].map(ms);
    let [list, list99, page, page99] = cells;
    row(name, &[list, list99, page, page99, format!("≤ {}", ms(TARGET)), verdict(whole.median() <= TARGET)]);
}

async fn cases(world: &World) -> Vec<Case> {
    let everybody = everybody(world).await;
    let at = |n: usize| everybody.get(n).expect("there are so many members");
    let viewer = world.role(Builtin::Viewer);
    let search = |text: &str| MemberFilter { search: Some(text.to_owned()), ..MemberFilter::default() };
    let by = |by, descending| MemberOrder { by, descending };
    let order = |word: &str, order| (format!("sort={word}"), MemberFilter::default(), order, None);
    let name = by(MemberSort::Name, false);
    let part = |word: &str, before, row: &MemberRow| {
        let from = PageFrom { key: MemberSort::Name.key(row), id: row.member.record.id.uuid(), before };
        let edge = [(word, format!("{}:{}", row.member.record.id, from.key))];
        (serde_urlencoded::to_string(edge).expect("an address"), MemberFilter::default(), name, Some(from))
    };
    let filtered = |query: String, filter| (query, filter, name, None);
    let viewers = MemberFilter { role: Some(viewer), ..MemberFilter::default() };
    let suspended = MemberFilter { state: Some(MemberState::Suspended), ..MemberFilter::default() };
    let both = MemberFilter { search: Some("ann".to_owned()), ..viewers.clone() };
    let by_email = by(MemberSort::Email, true);
    let cases = [
        ("first page, by name", order("", name)),
        ("by name, last first", order("-name", by(MemberSort::Name, true))),
        ("by address", order("email", by(MemberSort::Email, false))),
        ("by address, last first", order("-email", by_email)),
        ("by joining", order("joined", by(MemberSort::Joined, false))),
        ("by joining, last first", order("-joined", by(MemberSort::Joined, true))),
        ("from the middle on", part("after", false, at(fill::MEMBERS / 2))),
        ("back from the middle", part("before", true, at(fill::MEMBERS / 2))),
        ("last page", part("after", false, at(fill::MEMBERS - 51))),
        ("search: many", filtered("q=ann".to_owned(), search("ann"))),
        ("search: one address", filtered("q=petra.4515%40".to_owned(), search("petra.4515@"))),
        ("search: nobody", filtered("q=zzzz".to_owned(), search("zzzz"))),
        ("one role", filtered(format!("role={viewer}"), viewers)),
        ("suspended", filtered("status=suspended".to_owned(), suspended)),
        ("search, role, by address", (format!("q=ann&role={viewer}&sort=-email"), both, by_email, None)),
    ];
    let case = |(name, (query, filter, order, from))| {
        let command = ListMembers { filter, order, from, limit: ROWS };
        Case { name, query, command }
    };
    cases.into_iter().map(case).collect()
}

/// All members by name.
async fn everybody(world: &World) -> Vec<MemberRow> {
    let (filter, order) = (MemberFilter::default(), MemberOrder::default());
    let app = world.app();
    let read = app.store.read(&world.owner().caller(), world.org()).await.expect("the organization opens");
    let permit = read.permit::<gatewarden_access::actions::ListMembers>().expect("an owner lists members");
    let page = read.members(&permit, &filter, order, None, fill::MEMBERS as u64).await.expect("they are listed");
    assert_eq!(page.rows.len(), fill::MEMBERS, "the organization was filled");
    page.rows
}
