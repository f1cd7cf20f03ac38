//! The policy records of an organization, one file each: row, after-image and subject of decisions in one.

mod gateway;
mod invite;
mod key;
mod limits;
mod member;
mod model;
mod organization;
mod provider;
mod role;
mod stale_after;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{Id, Kind};

pub use gateway::{Gateway, GatewayState};
pub use invite::{Invite, InviteState};
pub use key::{Feature, Key, KeyOwner, KeyState, Level, Levels, ModelSet};
pub use limits::{Limits, PerMinute};
pub use member::{Member, MemberState};
pub use model::{Model, ModelState};
pub use organization::{Organization, OrganizationState, Visibility};
pub use provider::{CredentialRef, Dialect, Provider};
pub use role::{Builtin, Powers, Reach, Role};
pub use stale_after::StaleAfter;

/// The position of an entry in its trail, from 1, without gaps. A record's version is the seq of its last entry.
pub type Seq = u64;

/// A policy record: what a trail entry carries as after-image.
pub trait Record: Kind + Serialize + DeserializeOwned + Clone + Send + Sync {
    /// Which table and which kind of change it is.
    const KIND: RecordKind;

    /// The id of this record.
    fn id(&self) -> Id<Self>;
}

/// A record and the seq of the entry that last wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<R> {
    /// The seq of the record's last entry: `If-Match`, the value a form saw, and "in effect since".
    pub version: Seq,
    /// The record as that entry left it.
    pub record: R,
}

macro_rules! records {
    ($($record:ident = $prefix:literal $word:literal),+ $(,)?) => {
        /// The kinds of policy record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum RecordKind {
            $(#[doc = concat!("A ", $word, ".")] $record),+
        }

        impl RecordKind {
            /// Every kind, in the order of the tables.
            pub const ALL: &'static [Self] = &[$(Self::$record),+];

            /// The word for it in entries, addresses and pages.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$record => $word),+ }
            }

            /// The prefix of its ids.
            pub const fn prefix(self) -> &'static str {
                match self { $(Self::$record => $prefix),+ }
            }
        }

        /// A record of any kind, as it is read back from an entry.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum AnyRecord {
            $(#[doc = concat!("A ", $word, ".")] $record($record)),+
        }

        impl AnyRecord {
            /// Reads the after-image of a `kind`.
            ///
            /// # Errors
            /// When the image is not a whole record of that kind.
            pub fn read(kind: RecordKind, image: &serde_json::Value) -> Result<Self, serde_json::Error> {
                match kind { $(RecordKind::$record => $record::deserialize(image).map(Self::$record)),+ }
            }

            /// Its kind and its image, as an entry carries it.
            ///
            /// # Errors
            /// Never for records that were read; a map with keys that are no text cannot be written.
            pub fn image(&self) -> Result<(RecordKind, serde_json::Value), serde_json::Error> {
                match self { $(Self::$record(record) => Ok((RecordKind::$record, serde_json::to_value(record)?))),+ }
            }

            /// The 128 bits of its id.
            pub fn uuid(&self) -> Uuid {
                match self { $(Self::$record(record) => record.id().uuid()),+ }
            }
        }

        $(
            impl Kind for $record {
                const PREFIX: &'static str = $prefix;
            }

            impl Record for $record {
                const KIND: RecordKind = RecordKind::$record;

                fn id(&self) -> Id<Self> {
                    self.id
                }
            }
        )+
    };
}

records! {
    Organization = "org" "organization",
    Role = "rol" "role",
    Member = "mem" "member",
    Invite = "inv" "invite",
    Provider = "prv" "provider",
    Model = "mdl" "model",
    Key = "key" "key",
    Gateway = "gtw" "gateway",
}
