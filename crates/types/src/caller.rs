//! Who asks, how they came, and by what right: the facts about an act that its entry keeps.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Account, Id, Invite, Key, Member, Role, Session};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Actor {
    /// A person.
    Account(Id<Account>),
    /// The organization itself, through a key it owns.
    Organization,
    /// A part of the program.
    System(Job),
    /// Someone not signed in.
    Anyone,
}

/// The parts of the program that act by themselves, each with fixed grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Follows trails for the gateways.
    Follower,
    /// Takes in what gateways report.
    Ingest,
    /// Checks a trail from the command line.
    Verify,
    /// Exports a trail from the command line.
    Export,
    /// Adds a gateway from the command line.
    AddGateway,
    /// Lets in gateways that show the token they were given.
    Enroll,
    /// Begins an epoch of a trail after a backup was restored, from the command line.
    Restore,
}

/// How the actor came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Via {
    /// Through a browser session.
    Session(Id<Session>),
    /// With an API key.
    Key(Id<Key>),
    /// From the command line on the program's own host.
    CommandLine,
    /// From inside the program.
    System,
    /// Without any of these: a sign-in, a set-up.
    Nothing,
}

/// What allowed an act, as it counted when it was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Grant {
    /// A role that a member holds in the whole organization.
    Role {
        /// The role.
        role: Id<Role>,
        /// Who holds it.
        member: Id<Member>,
    },
    /// The organization's own power, borrowed by one of its keys.
    Organization {
        /// The owner role, whose power it is.
        role: Id<Role>,
    },
    /// An invite, within what its sender holds.
    Invite {
        /// The invite.
        invite: Id<Invite>,
        /// Its sender.
        member: Id<Member>,
    },
    /// The right of whoever founds an organization to found it.
    Founding,
    /// What every account may do for itself.
    Account,
    /// What anyone may try.
    Anyone,
    /// A part of the program, within its fixed grants.
    System {
        /// Which part.
        job: Job,
    },
}

/// What an act was done to: a kind and the 128 bits of an id, or the organization itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The id's prefix: `mem`, `key`, `org` ….
    pub kind: Cow<'static, str>,
    /// The 128 bits of the id.
    pub id: Uuid,
}

impl Target {
    /// The target that `id` names.
    pub fn of<K: crate::Kind>(id: Id<K>) -> Self {
        Self { kind: Cow::Borrowed(K::PREFIX), id: id.uuid() }
    }

    /// The id as text, such as `mem_01j…`.
    pub fn text(&self) -> String {
        // Every kind writes its digits alike, so any marker serves to write them.
        let digits = Id::<Account>::from_uuid(self.id).to_string();
        digits.split_once('_').map_or_else(String::new, |(_, digits)| format!("{}_{digits}", self.kind))
    }
}
