//! An organization to act in.

use std::collections::BTreeMap;

use gatewarden_control::{App, Caller, Error, organizations};
use gatewarden_types::{Builtin, Id, Organization, Role, Slug};

use crate::{Holder, Someone, people};

/// An organization, its first owner and its master key.
#[derive(Debug, Clone)]
pub struct House {
    app: App,
    /// The organization.
    pub id: Id<Organization>,
    /// Its word in addresses.
    pub slug: Slug,
    /// The built-in roles.
    pub roles: BTreeMap<Builtin, Id<Role>>,
    /// Who founded it.
    pub owner: Someone,
    /// The key that was shown at its founding: all levels, the organization's own power.
    pub master: Holder,
}

impl House {
    /// Founds an organization called `slug`, by `founder`.
    pub(crate) async fn found(app: &App, founder: &Someone, slug: &str) -> Self {
        let slug: Slug = slug.parse().expect("a slug");
        let command = organizations::CreateOrganization {
            name: slug.as_str().parse().expect("a name"),
            slug: slug.clone(),
            founder: founder.person.clone(),
        };
        let caller = founder.caller();
        let created = organizations::create(app, &caller, command).await.expect("an account founds organizations");
        let master = Holder::master(app, created.key, created.master_key.expose().clone());
        let mut owner = founder.clone();
        owner.member = Some(created.owner);
        let roles = gatewarden_control::roles::list(app, &owner.caller(), created.organization).await;
        let roles = roles.expect("an owner sees the roles").into_iter();
        let roles = roles.filter_map(|role| Some((role.record.builtin?, role.record.id))).collect();
        Self { app: app.clone(), id: created.organization, slug, roles, owner, master }
    }

    /// A built-in role.
    pub fn role(&self, builtin: Builtin) -> Id<Role> {
        *self.roles.get(&builtin).expect("every organization has the built-in roles")
    }

    /// Takes in someone new with a role.
    pub async fn join(&self, name: &str, role: Builtin) -> Someone {
        let mut someone = Someone::new(&self.app, name).await;
        self.admit(&mut someone, role).await;
        someone
    }

    /// Takes in someone who has an account, by the owner.
    pub async fn admit(&self, someone: &mut Someone, role: Builtin) {
        let admitted = self.try_admit(&self.owner.caller(), someone, role).await;
        admitted.expect("an owner takes in whom they like");
    }

    /// Takes in someone who has an account, by `caller`.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn try_admit(&self, caller: &Caller, someone: &mut Someone, role: Builtin) -> Result<(), Error> {
        people::join(&self.app, self.id, caller, someone, self.role(role)).await
    }
}
