//! People to act as, and the keys they hold.

use std::sync::OnceLock;

use gatewarden_access::actions;
use gatewarden_control::{
    App, Caller, Error,
    invites::{self, InviteMember},
    keys::{self, CreateKey},
};
use gatewarden_credentials::{Password, PasswordHash};
use gatewarden_store::Person;
use gatewarden_types::{Account, Actor, Id, Key, Levels, Member, Organization, Role, Session, Via};

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
    ///
    /// # Errors
    /// When they may not.
    pub async fn try_new(
        app: &App,
        organization: Id<Organization>,
        owner: &Someone,
        levels: Levels,
    ) -> Result<Self, Error> {
        let command = CreateKey { levels, ..CreateKey::usual("A key".parse().expect("a name")) };
        let created = keys::create(app, &owner.caller(), organization, command).await?;
        let secret = created.secret.expect("a new key is shown once");
        let (actor, key) = (Actor::Account(owner.account), created.key.value.id);
        Ok(Self { app: app.clone(), actor, key, text: secret.expose().clone() })
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

/// `caller` invites `who`, who accepts.
pub(crate) async fn join(
    app: &App,
    organization: Id<Organization>,
    caller: &Caller,
    who: &mut Someone,
    role: Id<Role>,
) -> Result<(), Error> {
    let command = InviteMember { email: who.person.email.clone(), role, once: None };
    let sent = invites::create(app, caller, organization, command).await?;
    let link = sent.link.expect("a world sends no mail, so the link is shown");
    let token = link.expose().rsplit('/').next().unwrap_or_default();
    who.member = Some(invites::accept(app, &who.caller(), token).await?.member.value.id);
    Ok(())
}

/// The hash of [`PASSWORD`]: made once, because it is slow on purpose.
fn hash(app: &App) -> &'static PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    let made = || PASSWORD.parse::<Password>().expect("it is long enough").hash(&app.entropy).expect("it hashes");
    HASH.get_or_init(made)
}
