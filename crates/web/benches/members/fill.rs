//! An organization of 10,000 members who have been there for a while: invites they came by, keys, presence, calls.
//!
//! Everything goes through the store's own writes under permits, many records to an entry where one act may write
//! many, so that it takes seconds and not minutes.

use gatewarden_access::{KeyLimits, actions};
use gatewarden_credentials::digest;
use gatewarden_store::{Database, Giving, Person, UsageRecord};
use gatewarden_testkit::World;
use gatewarden_types::{
    Builtin, Id, Invite, InviteState, Key, KeyOwner, KeyState, Levels, Member, MemberState, ModelSet,
};

pub const MEMBERS: usize = 10_000;
/// The world brings its own people along.
const NEW: usize = MEMBERS - 5;
const CALLS: usize = 100_000;
/// So many invites wait for an answer; all others were accepted.
const WAITING: usize = 20;
/// One member in so many has a key.
const KEY_EVERY: usize = 10;
/// As many records as fit in an entry of 65,535 bytes.
const PER_ENTRY: usize = 100;
const PER_INTAKE: usize = 500;
const MONTH: i64 = 30 * 86_400;

const FIRST: [&str; 20] = [
    "Ann", "Bela", "Chidi", "Dana", "Emre", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kemal", "Lena", "Milo", "Noor",
    "Oskar", "Petra", "Quinn", "Rosa", "Sven", "Tariq",
];
const LAST: [&str; 25] = [
    "Abel", "Bauer", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haas", "Ivanov", "Jansen", "Kovač", "Larsen",
    "Moreau", "Novak", "Okafor", "Patel", "Quist", "Rossi", "Schmidt", "Tanaka", "Ueda", "Vogel", "Weber", "Xu",
    "Yılmaz",
];

/// Fills the world's organization.
pub async fn fill(world: &World) {
    let members = join(world).await;
    invite(world).await;
    give_keys(world, &members).await;
    observe(world, &members).await;
    if matches!(world.database(), Database::Postgres { .. }) {
        // PostgreSQL does this by itself within a minute of so many writes.
        world.beneath(world.org()).await.run("ANALYZE").await.expect("PostgreSQL counts its rows");
    }
}

fn person(n: usize) -> Person {
    let of = |names: &[&str], n: usize| names.get(n % names.len()).copied().unwrap_or_default().to_owned();
    let (first, last) = (of(&FIRST, n), of(&LAST, n / FIRST.len()));
    Person {
        name: format!("{first} {last} {n}").parse().expect("a name"),
        email: format!("{}.{n}@example.com", first.to_lowercase()).parse().expect("an address"),
    }
}

async fn join(world: &World) -> Vec<Id<Member>> {
    let (app, mut joined) = (world.app(), Vec::new());
    let roles = [Builtin::Member, Builtin::Member, Builtin::Viewer, Builtin::Member, Builtin::Admin];
    let numbers: Vec<usize> = (0..NEW).collect();
    for batch in numbers.chunks(PER_ENTRY) {
        let invite = put_invites(world, 1, InviteState::Pending).await;
        let mut tx = app.store.change(&world.owner().caller(), world.org()).await.expect("the organization opens");
        let giving = |_: &Invite| Giving::Role(world.role(Builtin::Member));
        let asked = tx.permit_on::<actions::AcceptInvite>(invite, giving).await;
        let (permit, row) = asked.expect("an owner gives the role");
        tx.put(&permit, &Invite { state: InviteState::Accepted, ..row.record }).await.expect("it is kept");
        for n in batch {
            let role = roles.get(n % roles.len()).copied().unwrap_or(Builtin::Member);
            let state = if n % 50 == 0 { MemberState::Suspended } else { MemberState::Active };
            let member = Member { id: app.id(), account: app.id(), role: world.role(role), state };
            tx.put(&permit, &member).await.expect("the member is kept");
            tx.put_person(&permit, member.id, &person(*n)).await.expect("the person is kept");
            joined.push(member.id);
        }
        tx.commit(permit).await.expect("the members are kept");
    }
    joined
}

async fn invite(world: &World) {
    for _ in 0..(NEW - WAITING) / PER_ENTRY {
        put_invites(world, PER_ENTRY, InviteState::Accepted).await;
    }
    put_invites(world, WAITING, InviteState::Pending).await;
}

/// Puts so many invites and tells the last.
async fn put_invites(world: &World, count: usize, state: InviteState) -> Id<Invite> {
    let (app, role) = (world.app(), world.role(Builtin::Member));
    let mut tx = app.store.change(&world.owner().caller(), world.org()).await.expect("the organization opens");
    let permit = tx.permit_giving::<actions::InviteMember>(&Giving::Role(role)).await.expect("an owner invites");
    let mut last = app.id();
    for _ in 0..count {
        last = app.id();
        let invite = Invite {
            id: last,
            role,
            invited_by: world.owner().id(),
            verifier: digest(&app.entropy.bytes::<32>()),
            expires: app.clock.now().plus_seconds(7 * 86_400),
            state,
        };
        tx.put(&permit, &invite).await.expect("the invite is kept");
    }
    tx.commit(permit).await.expect("the invites are kept");
    last
}

async fn give_keys(world: &World, members: &[Id<Member>]) {
    let app = world.app();
    let owners: Vec<_> = members.iter().step_by(KEY_EVERY).copied().collect();
    for batch in owners.chunks(PER_ENTRY) {
        let mut tx = app.store.change(&world.owner().caller(), world.org()).await.expect("the organization opens");
        let own =
            Giving::Key(KeyOwner::Member(world.owner().id()), KeyLimits::new(&Levels::new(), &ModelSet::All, None));
        let permit = tx.permit_giving::<actions::CreateKey>(&own).await.expect("an owner makes keys");
        for owner in batch {
            let key = Key {
                id: app.id(),
                name: "A key".parse().expect("a name"),
                owner: KeyOwner::Member(*owner),
                levels: Levels::default(),
                models: ModelSet::All,
                limits: gatewarden_types::Limits::default(),
                expires: None,
                verifier: digest(&app.entropy.bytes::<32>()),
                state: KeyState::Active,
            };
            tx.put(&permit, &key).await.expect("the key is kept");
        }
        tx.commit(permit).await.expect("the keys are kept");
    }
}

/// Everybody was here, and called a model ten times in the last month.
async fn observe(world: &World, members: &[Id<Member>]) {
    let (app, now) = (world.app(), world.time().now());
    let ago = |n: usize, of: usize| {
        now.plus_seconds(-(MONTH - 60) * i64::try_from(n).unwrap_or(0) / i64::try_from(of).unwrap_or(1))
    };
    let calls: Vec<usize> = (0..CALLS).collect();
    for batch in calls.chunks(PER_INTAKE) {
        let record = |n: &usize| UsageRecord {
            id: app.id(),
            at: ago(*n, CALLS),
            key: app.id(),
            member: members.get(n % members.len()).copied(),
            model: None,
            provider: None,
            status: 200,
            refused: None,
            input_tokens: 900,
            output_tokens: 150,
            latency_micros: 800_000,
            upstream_micros: 799_000,
            decided_under: 1,
        };
        let records: Vec<_> = batch.iter().map(record).collect();
        let intake = app.store.intake(world.org()).await.expect("what is observed opens");
        intake.usage(&records).await.expect("the calls are kept");
        intake.commit().await.expect("the calls are kept");
    }
    let seen: Vec<_> = members.iter().enumerate().map(|(n, id)| (id.uuid(), ago(n, members.len()))).collect();
    for batch in seen.chunks(PER_INTAKE) {
        let intake = app.store.intake(world.org()).await.expect("what is observed opens");
        intake.seen(batch).await.expect("presence is kept");
        intake.commit().await.expect("presence is kept");
    }
}
