//! A program that several writers change one organization with, or found organizations with, until it is killed: each
//! change is told on standard output once it has been acknowledged, and not before.
//!
//! Its arguments are the word `change` or `found`, and then those of a [`gatewarden_testkit::Errand`].
#![expect(clippy::expect_used, reason = "a test that cannot be set up fails by saying so")]

use std::{io::Write, sync::Arc};

use gatewarden_control::{
    App, Caller, Error,
    invites::{self, InviteMember},
    keys::{self, CreateKey},
    members::{self, ChangeMemberRole},
    organizations::{self, CreateOrganization, UpdateOrganization},
    providers::{self, AddProvider},
};
use gatewarden_credentials::Secret;
use gatewarden_store::Person;
use gatewarden_testkit::Errand;
use gatewarden_types::{Builtin, Dialect, Id, Member, MemberState, Provider, Request, Seq};

/// How many write at once.
const WRITERS: usize = 4;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let founds = arguments.next().expect("what to write: change or found") == "found";
    let errand = Arc::new(Errand::from_arguments(arguments));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let app = errand.open().await.expect("what was killed before opens again");
        tell("ready");
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let writer = Writer { errand: errand.clone(), app: app.clone(), number: writer };
                tokio::spawn(async move { if founds { writer.found().await } else { writer.change().await } })
            })
            .collect();
        for writer in writers {
            writer.await.expect("a writer writes until it is killed");
        }
    });
}

/// One of those who write at once.
struct Writer {
    errand: Arc<Errand>,
    app: App,
    number: usize,
}

/// The entry that a change made, where its use case says.
type Made = Result<Option<Seq>, Error>;

impl Writer {
    /// Founds one organization after the other, without an end. Each is told with its slug.
    async fn found(&self) {
        for turn in 0u64.. {
            let slug = format!("w{}-{turn}-{}", self.number, std::process::id());
            let founder = Person {
                name: "Olive Owner".parse().expect("a name"),
                email: "olive.owner@example.com".parse().expect("an address"),
            };
            let (name, word) = (slug.parse().expect("a name"), slug.parse().expect("a slug"));
            let command = CreateOrganization { name, slug: word, founder };
            let created = organizations::create(&self.app, &self.errand.owner(&self.app), command).await;
            created.expect("a writer writes until it is killed");
            tell(&slug);
        }
    }

    /// Changes of every kind, one after the other, without an end. Each is told with its request, and its seq or `-`.
    async fn change(&self) {
        let member = *self.errand.members.iter().cycle().nth(self.number).expect("there are members");
        for turn in 0u64.. {
            let caller = self.errand.owner(&self.app);
            let request = caller.request;
            let word = format!("{} in turn {turn} of {}", self.number, std::process::id());
            let made = match turn % 8 {
                0 => self.rename(&caller, &word).await,
                1 => self.change_role(&caller, member, turn / 8).await,
                2 => self.toggle(&caller, member).await,
                3 => self.key(&caller, &word).await,
                4 => self.provider(&caller, &word).await.map(|(_, seq)| Some(seq)),
                5 => self.invite(&caller, &word).await,
                6 => self.join_and_remove(&caller, &word).await,
                _ => self.add_and_remove(&caller, &format!("to go {word}")).await,
            };
            told(request, made.expect("a writer writes until it is killed"));
        }
    }
}

/// What it changes in the organization, as its owner.
impl Writer {
    async fn rename(&self, caller: &Caller, word: &str) -> Made {
        let name = format!("Writer {word}").parse().expect("a name");
        let command = UpdateOrganization { name: Some(name), ..Default::default() };
        Ok(Some(organizations::update(&self.app, caller, self.errand.organization, command).await?.version))
    }

    /// Gives another role than the member has, so that there is something to change.
    async fn change_role(&self, caller: &Caller, id: Id<Member>, turn: u64) -> Made {
        let held = members::read(&self.app, caller, self.errand.organization, id).await?.member.record.role;
        let roles = [Builtin::Admin, Builtin::Viewer, Builtin::Member].map(|builtin| self.errand.role(builtin));
        let mut others = roles.into_iter().filter(|role| *role != held).cycle();
        let role = others.nth(usize::from(turn.is_multiple_of(2))).expect("there are others");
        let command = ChangeMemberRole { member: id, role, seen: None };
        Ok(Some(members::change_role(&self.app, caller, self.errand.organization, command).await?.version))
    }

    async fn toggle(&self, caller: &Caller, id: Id<Member>) -> Made {
        let (app, org) = (&self.app, self.errand.organization);
        let changed = match members::read(app, caller, org, id).await?.member.record.state {
            MemberState::Active => members::suspend(app, caller, org, id, None).await?,
            MemberState::Suspended => members::reinstate(app, caller, org, id, None).await?,
        };
        Ok(Some(changed.version))
    }

    async fn key(&self, caller: &Caller, word: &str) -> Made {
        let command = CreateKey::usual(format!("Key {word}").parse().expect("a name"));
        Ok(Some(keys::create(&self.app, caller, self.errand.organization, command).await?.key.version))
    }

    async fn provider(&self, caller: &Caller, word: &str) -> Result<(Id<Provider>, Seq), Error> {
        let command = AddProvider {
            name: format!("Provider {word}").parse().expect("a name"),
            dialect: Dialect::OpenAi,
            base_url: "http://127.0.0.1:9/v1".parse().expect("an address"),
            secret: Some(Secret::new(word.replace(' ', "-"))),
            once: None,
        };
        let added = providers::add(&self.app, caller, self.errand.organization, command).await?;
        Ok((added.value.id, added.version))
    }

    /// Adds a provider, tells that, and removes it with its secret.
    async fn add_and_remove(&self, caller: &Caller, word: &str) -> Made {
        let adding = self.errand.owner(&self.app);
        let (provider, added) = self.provider(&adding, word).await?;
        told(adding.request, Some(added));
        providers::remove(&self.app, caller, self.errand.organization, provider, None).await?;
        Ok(None)
    }

    async fn invite(&self, caller: &Caller, word: &str) -> Made {
        let email = format!("guest-{}@example.com", word.replace(' ', "-")).parse().expect("an address");
        let command = InviteMember { email, role: self.errand.role(Builtin::Viewer), once: None };
        Ok(Some(invites::create(&self.app, caller, self.errand.organization, command).await?.invite.version))
    }

    /// Takes somebody in and removes them.
    async fn join_and_remove(&self, caller: &Caller, word: &str) -> Made {
        let joiner = self.errand.join(&self.app, &format!("Joiner {word}"), Builtin::Member).await?;
        members::remove(&self.app, caller, self.errand.organization, joiner.id(), None).await?;
        Ok(None)
    }
}

fn told(request: Id<Request>, seq: Option<Seq>) {
    let seq = seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string());
    tell(&format!("{seq} {request}"));
}

/// One line, written at once.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("the test listens");
}
