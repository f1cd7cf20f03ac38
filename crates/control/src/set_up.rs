//! The first start: someone who holds the one-time code becomes the first owner.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gatewarden_access::{Caller, actions};
use gatewarden_credentials::{Password, PasswordHash, Secret, Token};
use gatewarden_store::Person;
use gatewarden_types::{Account, Actor, Digest, Id, Name, Request, Slug, Via};

use crate::{
    App, Error,
    organizations::{CreateOrganization, Created, create},
    sessions::{self, Browser, SignedIn},
    sign_in::anyone,
};

/// The digest of the code that was offered at this start; it is nowhere else.
#[derive(Debug, Default)]
pub(crate) struct Offer(Mutex<Option<Digest>>);

impl Offer {
    fn digest(&self) -> MutexGuard<'_, Option<Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fits(&self, code: &str) -> bool {
        let code = code.parse::<Token>().ok();
        code.zip(*self.digest()).is_some_and(|(code, offered)| code.matches(&offered))
    }
}

/// Makes the first owner and the first organization.
#[derive(Debug)]
pub struct SetUp {
    /// The one-time code.
    pub code: String,
    /// Who the owner is.
    pub owner: Person,
    /// The owner's password.
    pub password: Password,
    /// What the organization is called.
    pub organization: Name,
    /// The organization's word in addresses.
    pub slug: Slug,
    /// What the owner is signed in with afterwards.
    pub browser: Browser,
}

/// Makes an organization from the command line.
#[derive(Debug)]
pub struct Init {
    /// Who the owner is.
    pub owner: Person,
    /// The password of a new account; an account that is there keeps its own.
    pub password: Password,
    /// What the organization is called.
    pub organization: Name,
    /// The organization's word in addresses.
    pub slug: Slug,
}

/// What the command line made.
#[derive(Debug)]
pub struct Initialized {
    /// The owner's account.
    pub account: Id<Account>,
    /// Whether that account is new.
    pub opened: bool,
    /// The organization.
    pub created: Created,
}

/// Whether the instance waits to be set up.
///
/// # Errors
/// When the database cannot answer.
pub async fn waits(app: &App, request: Id<Request>) -> Result<bool, Error> {
    Ok(!app.store.read_control(&anyone(request)).await?.any_account().await?)
}

/// Makes a new code, which replaces any before it, while the instance waits to be set up.
///
/// # Errors
/// When the database cannot answer.
pub async fn offer(app: &App, request: Id<Request>) -> Result<Option<Secret<String>>, Error> {
    if !waits(app, request).await? {
        return Ok(None);
    }
    let code = Token::generate(&app.entropy);
    *app.offer().digest() = Some(code.digest());
    Ok(Some(code.text()))
}

/// Opens the first account, makes its organization, and signs it in, in this order: whoever is cut off in between can
/// sign in and make the organization then.
///
/// # Errors
/// When the code is not the one that was offered, or somebody was first.
pub async fn set_up(app: &App, request: Id<Request>, command: SetUp) -> Result<(Created, SignedIn), Error> {
    if !app.offer().fits(&command.code) {
        return Err(Error::NotRecognized("This is not the code that was printed at the last start."));
    }
    let SetUp { owner, password, organization, slug, browser, .. } = command;
    let hash = app.hash(password).await?;
    let account = open_first(app, request, &owner, &hash).await?;
    *app.offer().digest() = None;
    let caller = Caller { actor: Actor::Account(account), via: Via::Nothing, request };
    let created = create(app, &caller, CreateOrganization { name: organization, slug, founder: owner }).await?;
    let signed_in = sessions::begin(app, request, account, &browser, None).await?;
    Ok((created, signed_in))
}

/// Opens an account where the address has none, and makes an organization that it owns.
///
/// # Errors
/// When the slug is taken.
pub async fn init(app: &App, request: Id<Request>, command: Init) -> Result<Initialized, Error> {
    let Init { owner, password, organization, slug } = command;
    let hash = app.hash(password).await?;
    let operator = Caller { via: Via::CommandLine, ..anyone(request) };
    let (account, opened) = open_or_find(app, &operator, &owner, &hash).await?;
    let caller = Caller { actor: Actor::Account(account), ..operator };
    let created = create(app, &caller, CreateOrganization { name: organization, slug, founder: owner }).await?;
    Ok(Initialized { account, opened, created })
}

/// Of two who set up at once, the second finds the first one's account: a change has no other beside it.
async fn open_first(
    app: &App,
    request: Id<Request>,
    owner: &Person,
    hash: &PasswordHash,
) -> Result<Id<Account>, Error> {
    let mut control = app.store.change_control(&anyone(request)).await?;
    let permit = control.permit::<actions::OpenAccount>(app.id())?;
    if control.any_account().await? {
        return Err(Error::Rule("Gatewarden is set up already. Sign in instead."));
    }
    let account = control.open_account(&permit, owner, hash.as_str()).await?;
    control.commit(permit).await?;
    Ok(account)
}

async fn open_or_find(
    app: &App,
    caller: &Caller,
    owner: &Person,
    hash: &PasswordHash,
) -> Result<(Id<Account>, bool), Error> {
    let mut control = app.store.change_control(caller).await?;
    let permit = control.permit::<actions::OpenAccount>(app.id())?;
    if let Some(account) = control.account_with(&permit, &owner.email).await? {
        return Ok((account, false));
    }
    let account = control.open_account(&permit, owner, hash.as_str()).await?;
    control.commit(permit).await?;
    Ok((account, true))
}
