//! Roles.

use std::collections::BTreeMap;

use gatewarden_control::roles;
use gatewarden_types::{Builtin, Reach};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{Answer, KeyHolder};

/// A role.
#[derive(Serialize, JsonSchema)]
pub struct Role {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `owner`, `admin`, `member` or `viewer` where it is built in; null where it is not.
    pub builtin: Option<String>,
    /// What it allows, as permission words, and how far each reaches: `own` or `all`.
    pub permissions: BTreeMap<String, String>,
    /// Its version.
    pub version: u64,
}

/// Every role.
#[derive(Serialize, JsonSchema)]
pub struct Roles {
    /// The roles, in the order they were made.
    pub data: Vec<Role>,
}

/// All of them.
pub async fn list(sender: KeyHolder) -> Answer {
    let rows = roles::list(&sender.site.app, &sender.caller, sender.organization).await?;
    let data = rows.into_iter().map(|row| shown(&row.record, row.version)).collect();
    sender.answer(200, None, &Roles { data })
}

fn shown(role: &gatewarden_types::Role, version: u64) -> Role {
    let builtin = role.builtin.map(|is| match is {
        Builtin::Owner => "owner",
        Builtin::Admin => "admin",
        Builtin::Member => "member",
        Builtin::Viewer => "viewer",
    });
    let reach = |reach: &Reach| match reach {
        Reach::Own => "own",
        Reach::All => "all",
    };
    Role {
        id: role.id.to_string(),
        name: role.name.to_string(),
        builtin: builtin.map(str::to_owned),
        permissions: role.powers.iter().map(|(word, far)| (word.clone(), reach(far).to_owned())).collect(),
        version,
    }
}
