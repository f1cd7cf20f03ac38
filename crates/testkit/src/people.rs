//! People to act as, and the keys they hold.

use std::sync::OnceLock;

use gatewarden_access::actions;
use gatewarden_control::{App, Caller};
use gatewarden_credentials::{ApiKey, Password, PasswordHash};
use gatewarden_store::{Giving, Person};
use gatewarden_types::{
    Account, Actor, Id, Invite, InviteState, Key, KeyOwner, KeyState, Levels, Member, MemberState, ModelSet,
    Organization, Role, Session, Via,
};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// An account, and what it is in an organization if it is in one.
#[derive(Debug, Clone)]
pub struct Someone {
    app: App,
    /// The account.
    pub account: Id<Account>,
    /// What it is called.
    pub person: Person,
    /// The browser session that [`Someone::caller`] comes through. It is not in the database.
    pub session: Id<Session>,
    /// Where this is a member, the member.
    pub member: Option<Id<Member>>,
}

impl Someone {
    /// Opens an account.
    pub(crate) async fn new(app: &App, name: &str) -> Self {
        let account = app.id();
        let person = Person {
            name: name.parse().expect("a name"),
            email: format!("{}@example.com", name.to_lowercase().replace(' ', ".")).parse().expect("an address"),
        };
        let mut tx = app.store.change_control(&anonymous(app)).await.expect("the control schema opens");
        let permit = tx.permit::<actions::OpenAccount>(account).expect("anyone may open an account");
        tx.open_account(&permit, &person, hash(app).as_str()).await.expect("the account is new");
        tx.commit(permit).await.expect("the account is kept");
        Self { app: app.clone(), account, person, session: app.id(), member: None }
    }

    /// This, asking for something through a browser: a request of its own each time.
    pub fn caller(&self) -> Caller {
        Caller { actor: Actor::Account(self.account), via: Via::Session(self.session), request: self.app.id() }
    }

    /// The member that this is.
    ///
    /// # Panics
    /// When it is in no organization.
    pub fn id(&self) -> Id<Member> {
        self.member.expect("someone who is a member")
    }
}

/// A key in its holder's hand.
#[derive(Debug, Clone)]
pub struct Holder {
    app: App,
    actor: Actor,
    /// The key.
    pub key: Id<Key>,
    /// The text that authenticates.
    pub text: String,
}

impl Holder {
    /// The key of the organization itself that was shown at its founding.
    pub(crate) fn master(app: &App, key: Id<Key>, text: String) -> Self {
        Self { app: app.clone(), actor: Actor::Organization, key, text }
    }

    /// Makes a key of `owner`'s in `organization`, by themselves.
    pub(crate) async fn new(app: &App, organization: Id<Organization>, owner: &Someone, levels: Levels) -> Self {
        let id = app.id();
        let secret = ApiKey::generate(id, &app.entropy);
        let key = Key {
            id,
            name: "A key".parse().expect("a name"),
            owner: KeyOwner::Member(owner.id()),
            levels,
            models: ModelSet::All,
            expires: None,
            verifier: secret.verifier(),
            state: KeyState::Active,
        };
        let mut tx = app.store.change(&owner.caller(), organization).await.expect("the organization opens");
        let permit = tx.permit_giving::<actions::CreateKey>(&Giving::of_key(&key)).await.expect("one makes own keys");
        tx.put(&permit, &key).await.expect("the key is kept");
        tx.commit(permit).await.expect("the key is kept");
        app.store.enter(id, organization).await.expect("the key is entered");
        Self { app: app.clone(), actor: Actor::Account(owner.account), key: id, text: secret.text().expose().clone() }
    }

    /// Whoever has the key, asking for something: a request of its own each time.
    pub fn caller(&self) -> Caller {
        Caller { actor: self.actor, via: Via::Key(self.key), request: self.app.id() }
    }
}

/// Someone who is not signed in.
pub(crate) fn anonymous(app: &App) -> Caller {
    Caller { actor: Actor::Anyone, via: Via::Nothing, request: app.id() }
}

/// Invites `who` and takes them in with a role, by `owner`.
pub(crate) async fn join(
    app: &App,
    organization: Id<Organization>,
    owner: &Someone,
    who: &mut Someone,
    role: Id<Role>,
) {
    let invite = Invite {
        id: app.id(),
        role,
        invited_by: owner.id(),
        verifier: gatewarden_credentials::digest(&app.entropy.bytes::<32>()),
        expires: app.clock.now().plus_seconds(3600),
        state: InviteState::Pending,
    };
    let giving = Giving::Role(role);
    let mut tx = app.store.change(&owner.caller(), organization).await.expect("the organization opens");
    let permit = tx.permit_giving::<actions::InviteMember>(&giving).await.expect("an owner invites");
    tx.put(&permit, &invite).await.expect("the invite is kept");
    tx.put_invite_address(&permit, invite.id, &who.person.email).await.expect("the address is kept");
    tx.commit(permit).await.expect("the invite is kept");

    let mut tx = app.store.change(&owner.caller(), organization).await.expect("the organization opens");
    let asked = tx.permit_on::<actions::AcceptInvite>(invite.id, |_| giving).await;
    let (permit, _) = asked.expect("an owner may give the role");
    let member = Member { id: app.id(), account: who.account, role, state: MemberState::Active };
    tx.put(&permit, &Invite { state: InviteState::Accepted, ..invite }).await.expect("the invite is used up");
    tx.put(&permit, &member).await.expect("the member is kept");
    tx.put_person(&permit, member.id, &who.person).await.expect("the person is kept");
    tx.commit(permit).await.expect("the member is kept");
    app.store.enter(who.account, organization).await.expect("the account is entered");
    who.member = Some(member.id);
}

/// The hash of [`PASSWORD`]: made once, because it is slow on purpose.
fn hash(app: &App) -> &'static PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    let made = || PASSWORD.parse::<Password>().expect("it is long enough").hash(&app.entropy).expect("it hashes");
    HASH.get_or_init(made)
}
