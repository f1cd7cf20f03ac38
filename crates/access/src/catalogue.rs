//! The permissions there are, and what the built-in roles hold of them.

use gatewarden_types::{Builtin, Powers, Reach};

macro_rules! permissions {
    ($($name:ident = $word:literal, $group:literal, $label:literal);+ $(;)?) => {
        /// Something that a role may allow, as a `resource:action` word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $(#[doc = $label] $name),+
        }

        impl Permission {
            /// Every permission, in the order of the role editor.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// What it lets people do, in words.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),+ }
            }

            /// The heading it stands under.
            pub const fn group(self) -> &'static str {
                match self { $(Self::$name => $group),+ }
            }
        }
    };
}

permissions! {
    OrganizationRead = "organization:read", "Organization", "See the organization";
    OrganizationUpdate = "organization:update", "Organization", "Rename the organization and set what its members see";
    MembersRead = "members:read", "Members", "See members and invites";
    MembersInvite = "members:invite", "Members", "Invite people, and resend and revoke invites";
    MembersSuspend = "members:suspend", "Members", "Suspend and reinstate members";
    MembersRemove = "members:remove", "Members", "Remove members";
    RolesRead = "roles:read", "Members", "See roles";
    RolesAssign = "roles:assign", "Members", "Change which role a member holds";
    RolesEscalate = "roles:escalate", "Members", "Make owners";
    ProvidersRead = "providers:read", "Providers and models", "See providers";
    ProvidersWrite = "providers:write", "Providers and models", "Add, change and test providers";
    ProvidersRemove = "providers:remove", "Providers and models", "Remove providers";
    ModelsRead = "models:read", "Providers and models", "See approved models";
    ModelsApprove = "models:approve", "Providers and models", "Approve and withdraw models";
    ModelsInvoke = "models:invoke", "Providers and models", "Call models";
    KeysRead = "keys:read", "API keys", "See API keys";
    KeysCreate = "keys:create", "API keys", "Create API keys";
    KeysRotate = "keys:rotate", "API keys", "Rotate API keys";
    KeysRevoke = "keys:revoke", "API keys", "Revoke API keys";
    UsageRead = "usage:read", "Insight", "See usage";
    TrailRead = "trail:read", "Insight", "Read the trail";
    GatewaysRead = "gateways:read", "Gateways", "See gateways on other hosts";
    GatewaysManage = "gateways:manage", "Gateways", "Add and remove gateways on other hosts";
    GatewaysEnroll = "gateways:enroll", "Program", "Let in gateways that show their token";
    TrailFollow = "trail:follow", "Program", "Follow the trail for gateways";
    TrailRestore = "trail:restore", "Program", "State that a backup was restored";
    UsageRecord = "usage:record", "Program", "Record what gateways report";
    OrganizationsCreate = "organizations:create", "Instance", "Create organizations";
    AccountOwn = "account:own", "Instance", "Manage one's own account and browser sessions";
    SignIn = "sign-in:try", "Instance", "Try to sign in";
}

impl Permission {
    /// The permission that `word` names in this release.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.word() == word)
    }

    /// Whether roles of an organization may hold it; the rest belong to the program and the instance.
    pub fn in_roles(self) -> bool {
        !matches!(self.group(), "Program" | "Instance")
    }
}

/// What a built-in role holds in this release.
pub fn builtin_powers(role: Builtin) -> Powers {
    let in_roles = Permission::ALL.iter().copied().filter(|permission| permission.in_roles());
    let held: Vec<(Permission, Reach)> = match role {
        Builtin::Owner => in_roles.map(|permission| (permission, Reach::All)).collect(),
        Builtin::Admin => in_roles.filter(|p| *p != Permission::RolesEscalate).map(|p| (p, Reach::All)).collect(),
        Builtin::Member => MEMBER.to_vec(),
        Builtin::Viewer => VIEWER.iter().map(|permission| (*permission, Reach::All)).collect(),
    };
    held.into_iter().map(|(permission, reach)| (permission.word().to_owned(), reach)).collect()
}

const MEMBER: [(Permission, Reach); 10] = [
    (Permission::OrganizationRead, Reach::All),
    (Permission::MembersRead, Reach::Own),
    (Permission::RolesRead, Reach::All),
    (Permission::ModelsRead, Reach::All),
    (Permission::ModelsInvoke, Reach::All),
    (Permission::KeysRead, Reach::Own),
    (Permission::KeysCreate, Reach::Own),
    (Permission::KeysRotate, Reach::Own),
    (Permission::KeysRevoke, Reach::Own),
    (Permission::UsageRead, Reach::Own),
];

const VIEWER: [Permission; 9] = [
    Permission::OrganizationRead,
    Permission::MembersRead,
    Permission::RolesRead,
    Permission::ProvidersRead,
    Permission::ModelsRead,
    Permission::KeysRead,
    Permission::UsageRead,
    Permission::TrailRead,
    Permission::GatewaysRead,
];
