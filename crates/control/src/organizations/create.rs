use gatewarden_access::{Caller, Permit, actions, builtin_powers};
use gatewarden_credentials::{ApiKey, Secret};
use gatewarden_store::{OrgTx, Person, StoreError};
use gatewarden_types::{
    Actor, Builtin, Id, Key, KeyOwner, KeyState, Member, MemberState, ModelSet, Name, Organization, OrganizationState,
    Reach, Role, Slug, Visibility,
};

use crate::{App, Error, or_refuse};

/// Makes an organization with its caller as owner.
#[derive(Debug, Clone)]
pub struct CreateOrganization {
    /// What people call it.
    pub name: Name,
    /// Its word in addresses, for good.
    pub slug: Slug,
    /// Who its first owner is.
    pub founder: Person,
}

/// A new organization.
#[derive(Debug)]
pub struct Created {
    /// Its id.
    pub organization: Id<Organization>,
    /// Its first owner.
    pub owner: Id<Member>,
    /// Its master key's id.
    pub key: Id<Key>,
    /// Its master key, which nobody sees again.
    pub master_key: Secret<String>,
}

/// Registers the organization, makes its tables, commits its first entry, and opens it, in this order: a program that
/// dies in between leaves all of it or nothing.
///
/// # Errors
/// When the slug is taken, or the caller is no account.
pub async fn create(app: &App, caller: &Caller, command: CreateOrganization) -> Result<Created, Error> {
    let organization: Id<Organization> = app.id();
    register(app, caller, organization, &command.slug).await?;
    let made = found(app, caller, organization, &command).await;
    if made.is_err() {
        // What is left of it is undone here, or at the next start when the database does not answer now.
        if let Err(bad) = app.store.discard(organization).await {
            tracing::warn!(%organization, error = %bad, "an unfinished organization is left for the next start");
        }
    }
    made
}

async fn register(app: &App, caller: &Caller, id: Id<Organization>, slug: &Slug) -> Result<(), Error> {
    let mut control = app.store.change_control(caller).await?;
    let permit = control.permit::<actions::RegisterOrganization>(id)?;
    if control.slug_taken(&permit, slug).await? {
        return Err(Error::field("slug", "Another organization has this address already. Choose another."));
    }
    control.register(&permit, slug).await?;
    control.commit(permit).await?;
    Ok(())
}

async fn found(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: &CreateOrganization,
) -> Result<Created, Error> {
    let Actor::Account(account) = caller.actor else {
        return Err(Error::Rule("Only a person can found an organization."));
    };
    app.store.provision(organization).await?;
    let mut tx = app.store.change(caller, organization).await?;
    let permit = or_refuse!(tx, tx.permit::<actions::CreateOrganization>());
    put_organization(&mut tx, &permit, command).await?;
    let owner_role = put_roles(app, &mut tx, &permit).await?;
    let owner = Member { id: app.id(), account, role: owner_role, state: MemberState::Active };
    tx.put(&permit, &owner).await?;
    tx.put_person(&permit, owner.id, &command.founder).await?;
    let (key, master_key) = master_key(app)?;
    tx.put(&permit, &key).await?;
    tx.commit(permit).await?;
    app.store.activate(organization).await?;
    Ok(Created { organization, owner: owner.id, key: key.id, master_key })
}

type Founding = Permit<actions::CreateOrganization>;

async fn put_organization(tx: &mut OrgTx, permit: &Founding, command: &CreateOrganization) -> Result<(), StoreError> {
    let organization = Organization {
        id: permit.target_id(),
        slug: command.slug.clone(),
        name: command.name.clone(),
        state: OrganizationState::Active,
        visibility: Visibility { usage: Reach::Own },
        limits: gatewarden_types::Limits::default(),
        epoch: 1,
        stale_after: gatewarden_types::StaleAfter::default(),
    };
    tx.put(permit, &organization).await
}

/// Puts the built-in roles and returns the owner's.
async fn put_roles(app: &App, tx: &mut OrgTx, permit: &Founding) -> Result<Id<Role>, Error> {
    let owner = put_role(app, tx, permit, Builtin::Owner, "Owner").await?;
    put_role(app, tx, permit, Builtin::Admin, "Admin").await?;
    put_role(app, tx, permit, Builtin::Member, "Member").await?;
    put_role(app, tx, permit, Builtin::Viewer, "Viewer").await?;
    Ok(owner)
}

async fn put_role(app: &App, tx: &mut OrgTx, permit: &Founding, is: Builtin, name: &str) -> Result<Id<Role>, Error> {
    let role = Role { id: app.id(), name: word(name)?, builtin: Some(is), powers: builtin_powers(is) };
    tx.put(permit, &role).await?;
    Ok(role.id)
}

fn master_key(app: &App) -> Result<(Key, Secret<String>), Error> {
    let id = app.id();
    let name = word("Master key")?;
    let secret = ApiKey::generate(id, &app.entropy);
    let key = Key {
        id,
        name,
        owner: KeyOwner::Organization,
        levels: Key::all_levels(),
        models: ModelSet::All,
        limits: gatewarden_types::Limits::default(),
        expires: None,
        verifier: secret.verifier(),
        state: KeyState::Active,
    };
    Ok((key, secret.text()))
}

/// A name that the product gives.
fn word(text: &str) -> Result<Name, Error> {
    text.parse().map_err(|bad| Error::Internal(format!("{bad}")))
}
