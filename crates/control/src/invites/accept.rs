use gatewarden_access::{Caller, actions};
use gatewarden_credentials::Password;
use gatewarden_store::{AccountRow, Person};
use gatewarden_types::{
    Account, Actor, Id, Invite, InviteState, Member, MemberState, Name, Organization, Request, Slug, Via,
};

use super::{GONE, link::Link, look::look, unusable};
use crate::{
    App, Changed, Error, account,
    sessions::{self, Browser, SignedIn},
    sign_in::anyone,
};

/// What is said to someone with an account who wants another.
const HAS_ACCOUNT: Error = Error::Rule("This address has an account already. Sign in with it to accept.");

/// Accepts an invite with a new account.
#[derive(Debug)]
pub struct AcceptNew {
    /// The last part of the invite's link.
    pub token: String,
    /// What the person is called.
    pub name: Name,
    /// The new account's password.
    pub password: Password,
    /// What they are signed in with afterwards.
    pub browser: Browser,
}

/// A member who has joined.
#[derive(Debug)]
pub struct Accepted {
    /// What they joined.
    pub organization: Id<Organization>,
    /// Its word in addresses.
    pub slug: Slug,
    /// The member.
    pub member: Changed<Member>,
}

/// Joins with the calling account, which has to have the address that was invited. `token` is the last part of the
/// invite's link, and works once.
///
/// # Errors
/// [`Error::NotRecognized`] for every link that leads nowhere; [`Error::Rule`] when the invite went to somebody else,
/// the account is a member already, or the sender may no longer give the role.
pub async fn accept(app: &App, caller: &Caller, token: &str) -> Result<Accepted, Error> {
    let account = account::read(app, caller).await?;
    join(app, caller, account, token).await
}

/// Opens an account for the address that was invited, which may do nothing yet, and joins with it.
///
/// # Errors
/// As [`accept`]; [`Error::Rule`] when the address has an account already.
pub async fn accept_new(app: &App, request: Id<Request>, command: AcceptNew) -> Result<(Accepted, SignedIn), Error> {
    let AcceptNew { token, name, password, browser } = command;
    // Before the password is hashed, so that nobody makes the program work for nothing; the link's page tells as much.
    let invitation = look(app, request, &token).await?;
    if invitation.has_account {
        return Err(HAS_ACCOUNT);
    }
    let person = Person { name, email: invitation.email };
    let hash = app.hash(password).await?;
    let account = open_account(app, request, &person, hash.as_str()).await?;
    let caller = Caller { actor: Actor::Account(account), via: Via::Nothing, request };
    let accepted = join(app, &caller, AccountRow { id: account, person }, &token).await?;
    let signed_in = sessions::begin(app, request, account, &browser, None).await?;
    Ok((accepted, signed_in))
}

async fn open_account(app: &App, request: Id<Request>, person: &Person, hash: &str) -> Result<Id<Account>, Error> {
    let mut control = app.store.change_control(&anyone(request)).await?;
    let permit = control.permit::<actions::OpenAccount>(app.id())?;
    if control.account_with(&permit, &person.email).await?.is_some() {
        return Err(HAS_ACCOUNT);
    }
    let account = control.open_account(&permit, person, hash).await?;
    control.commit(permit).await?;
    Ok(account)
}

async fn join(app: &App, caller: &Caller, account: AccountRow, token: &str) -> Result<Accepted, Error> {
    let link = Link::parse(token).ok_or(GONE)?;
    let organization = app.store.place_of(link.invite).await?.ok_or(GONE)?;
    let mut tx = app.store.change(caller, organization).await?;
    if tx.facts().asking_member().is_some() {
        drop(tx);
        // Once more, for one who joined and was cut off before they were entered.
        app.store.enter(account.id, organization).await;
        return Err(Error::Rule("You are a member of this organization already."));
    }
    let (permit, invite) = match tx.permit_invited(link.invite, link.token.digest()).await {
        Ok(permitted) => permitted,
        Err(refused) => return Err(unusable(tx.fail(refused).await)),
    };
    let invite = invite.record;
    let address = tx.invite_addresses(&permit, [invite.id]).await?.remove(&invite.id);
    if address.as_ref() != Some(&account.person.email) {
        return Err(Error::Rule("This invite went to another address. Sign in with that address to accept it."));
    }
    let slug = tx.get::<_, Organization>(&permit, organization).await?.ok_or(GONE)?.record.slug;
    let member = Member { id: app.id(), account: account.id, role: invite.role, state: MemberState::Active };
    tx.put(&permit, &Invite { state: InviteState::Accepted, ..invite }).await?;
    tx.forget_invite_addresses(&permit, [link.invite]).await?;
    tx.put(&permit, &member).await?;
    tx.put_person(&permit, member.id, &account.person).await?;
    let committed = tx.commit(permit).await?;
    app.store.enter(account.id, organization).await;
    Ok(Accepted { organization, slug, member: Changed { value: member, version: committed.seq } })
}
