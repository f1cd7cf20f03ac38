//! Refusals: what was asked, why not, and who can change that.

use std::fmt;

use gatewarden_types::{Feature, Id, Level, Organization, Target};

use crate::{ActionInfo, Caller, Permission};

/// The caller may not. Its text is for them; whether the target exists is told only where they may know.
#[derive(Debug, Clone)]
pub struct Refused {
    /// What was asked.
    pub action: &'static ActionInfo,
    /// Where.
    pub organization: Option<Id<Organization>>,
    /// By whom.
    pub caller: Caller,
    /// On what; none when there is no such thing.
    pub target: Option<Target>,
    /// Why not.
    pub reason: Reason,
    /// Whether the caller may not even know that the target exists: answered as not found.
    pub hidden: bool,
}

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There is no such thing, or none that the caller may know of.
    Absent,
    /// The caller has no part in the organization.
    Stranger,
    /// The caller is suspended.
    MemberSuspended,
    /// The organization is suspended.
    OrganizationSuspended,
    /// The key was revoked.
    KeyRevoked,
    /// The key's time is over.
    KeyExpired,
    /// No role of the caller's allows it.
    Missing(Permission),
    /// The caller's role allows it on their own things alone.
    NotOwn(Permission),
    /// The key's level for the feature is too low.
    KeyLevel(Feature, Level),
    /// The target may do something that the caller may not.
    Above(Permission),
    /// It would give a power that the caller does not hold.
    Beyond(Permission),
    /// It would give a key more than the calling key has, or for longer.
    BeyondKey,
    /// It would give a role that allows something which the calling key may not do.
    RoleBeyondKey(Permission),
    /// The key may not call this model.
    KeyModel,
}

impl Reason {
    /// A word for it in attempts and API errors.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "not_found",
            Self::Stranger => "not_a_member",
            Self::MemberSuspended => "member_suspended",
            Self::OrganizationSuspended => "organization_suspended",
            Self::KeyRevoked => "key_revoked",
            Self::KeyExpired => "key_expired",
            Self::Missing(_) => "permission_missing",
            Self::NotOwn(_) => "not_your_own",
            Self::KeyLevel(..) => "key_level",
            Self::Above(_) => "target_above_you",
            Self::Beyond(_) => "beyond_your_power",
            Self::BeyondKey => "beyond_the_key",
            Self::RoleBeyondKey(_) => "role_beyond_the_key",
            Self::KeyModel => "key_model",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent | Self::Stranger => f.write_str("There is nothing here that you can see."),
            Self::MemberSuspended => f.write_str("Your membership is suspended. An admin can reinstate you."),
            Self::OrganizationSuspended => {
                f.write_str("The organization is suspended. The operator of this instance can reinstate it.")
            }
            Self::KeyRevoked => f.write_str("This API key was revoked. Create another, or ask an admin for one."),
            Self::KeyExpired => f.write_str("This API key has expired. Create another, or ask an admin for one."),
            Self::Missing(p) => write!(f, "Your role does not include {}. An admin can give it to you.", p.word()),
            Self::NotOwn(p) => {
                write!(f, "Your role includes {} for your own things only. An admin can widen it.", p.word())
            }
            Self::KeyLevel(feature, level) => write!(
                f,
                "This API key needs the level {} for {}. Its owner can create a key that has it.",
                level.word(),
                feature.word()
            ),
            Self::Above(p) => write!(f, "They hold {}, which you do not. An owner can do this.", p.word()),
            Self::Beyond(p) => write!(f, "This would give {}, which you do not hold. An owner can do this.", p.word()),
            Self::BeyondKey => f.write_str("A key cannot give another key more than it has itself, nor for longer."),
            Self::RoleBeyondKey(p) => write!(
                f,
                "This role gives {}, which this API key may not do in full. Give it in the console, or with a key whose \
                 levels and models cover the role.",
                p.word()
            ),
            Self::KeyModel => f.write_str("This API key may not call this model. Its owner can create a key that may."),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hidden { Reason::Absent.fmt(f) } else { self.reason.fmt(f) }
    }
}

impl std::error::Error for Refused {}
