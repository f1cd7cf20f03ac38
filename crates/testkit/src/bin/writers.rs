//! A program that several writers change one organization with, until it is killed: each change is told on standard
//! output once it has been acknowledged, and not before.
//!
//! Its arguments are those of a [`gatewarden_testkit::Errand`].
#![expect(clippy::expect_used, reason = "a test that cannot be set up fails by saying so")]

use std::io::Write;

use gatewarden_control::{
    App, Caller, Error,
    members::{self, ChangeMemberRole},
    organizations::{self, UpdateOrganization},
};
use gatewarden_testkit::Errand;
use gatewarden_types::{Builtin, Id, Member, MemberState, Seq};

/// How many write at once.
const WRITERS: usize = 4;

fn main() {
    let errand = Errand::from_arguments(std::env::args().skip(1));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let errand = std::sync::Arc::new(errand);
        let app = errand.open().await.expect("what was killed before opens again");
        tell("ready");
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (errand, app) = (errand.clone(), app.clone());
                tokio::spawn(async move { write(&errand, &app, writer).await })
            })
            .collect();
        for writer in writers {
            writer.await.expect("a writer writes until it is killed");
        }
    });
}

/// Changes of three kinds, one after the other, without an end. Each is told with its request.
async fn write(errand: &Errand, app: &App, writer: usize) {
    let member = *errand.members.iter().cycle().nth(writer).expect("there are members");
    for turn in 0u64.. {
        let caller = errand.owner(app);
        let request = caller.request;
        let seq = match turn % 3 {
            0 => {
                rename(errand, app, &caller, &format!("Writer {writer} in turn {turn} of {}", std::process::id())).await
            }
            1 => change_role(errand, app, &caller, member, turn / 3).await,
            _ => toggle(errand, app, &caller, member).await,
        };
        tell(&format!("{} {request}", seq.expect("a writer writes until it is killed")));
    }
}

async fn rename(errand: &Errand, app: &App, caller: &Caller, to: &str) -> Result<Seq, Error> {
    let command = UpdateOrganization { name: Some(to.parse().expect("a name")), ..Default::default() };
    Ok(organizations::update(app, caller, errand.organization, command).await?.version)
}

/// Gives another role than the member has, so that there is something to change.
async fn change_role(errand: &Errand, app: &App, caller: &Caller, id: Id<Member>, turn: u64) -> Result<Seq, Error> {
    let held = members::read(app, caller, errand.organization, id).await?.member.record.role;
    let roles = [Builtin::Admin, Builtin::Viewer, Builtin::Member].map(|builtin| errand.role(builtin));
    let mut others = roles.into_iter().filter(|role| *role != held).cycle();
    let role = others.nth(usize::from(turn.is_multiple_of(2))).expect("there are others");
    let command = ChangeMemberRole { member: id, role, seen: None };
    Ok(members::change_role(app, caller, errand.organization, command).await?.version)
}

async fn toggle(errand: &Errand, app: &App, caller: &Caller, id: Id<Member>) -> Result<Seq, Error> {
    let state = members::read(app, caller, errand.organization, id).await?.member.record.state;
    let changed = match state {
        MemberState::Active => members::suspend(app, caller, errand.organization, id, None).await?,
        MemberState::Suspended => members::reinstate(app, caller, errand.organization, id, None).await?,
    };
    Ok(changed.version)
}

/// One line, written at once.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("the test listens");
}
