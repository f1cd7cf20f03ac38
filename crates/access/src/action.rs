//! The one table of actions: what each needs, whom it concerns, what it may write, and what it leaves in the trail.

use gatewarden_types::{
    Account, Feature, Gateway, Invite, Job, Key, Kind, Level, Member, Model, Organization, Provider, Record,
    RecordKind, Role, Session,
};

use crate::Permission;

/// Something that someone does. Declared in the table of this file and nowhere else.
pub trait Action: 'static {
    /// Its row in the table.
    const INFO: &'static ActionInfo;
    /// What it is done to.
    type Target: Kind;
}

/// The action may write records of kind `R`.
#[diagnostic::on_unimplemented(
    message = "the action `{Self}` may not write a `{R}`",
    note = "the table in gatewarden-access says which records each action writes"
)]
pub trait Writes<R: Record>: Action {
    /// Whether it may change and remove records of this kind that are there and are not its target. Where it may not, it
    /// adds some at most: whoever may make a key has no power over the other keys by that.
    const ALTERS: bool = false;
}

/// The action may read lists of `R`.
#[diagnostic::on_unimplemented(
    message = "the action `{Self}` may not read a list of `{R}`",
    note = "the table in gatewarden-access says which records each action reads"
)]
pub trait Reads<R>: Action {}

/// A row of the table.
#[derive(Debug)]
pub struct ActionInfo {
    /// Its name in the trail and in refusals, such as `member.change_role`.
    pub name: &'static str,
    /// What it is called in the trail's page: "changed a role".
    pub did: &'static str,
    /// What it needs.
    pub permission: Permission,
    /// What lets one know that its target exists; without it the target is not found.
    pub sees: Permission,
    /// What a key needs besides.
    pub level: (Feature, Level),
    /// What it leaves behind.
    pub audit: AuditClass,
    /// The kinds of record it may write.
    pub writes: &'static [RecordKind],
    /// The parts of the program that may do it by themselves.
    pub jobs: &'static [Job],
}

/// What an action leaves behind when it succeeds. A refusal of any but a `Read` or a `Call` leaves an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditClass {
    /// An entry with what changed.
    Change,
    /// An entry that says that it was read, written before the data leaves.
    SensitiveRead,
    /// An entry of the instance's trail.
    SignIn,
    /// Nothing: an ordinary read.
    Read,
    /// A usage record, by the gateway.
    Call,
}

impl AuditClass {
    /// Whether a refusal is kept as an attempt.
    pub const fn keeps_attempts(self) -> bool {
        matches!(self, Self::Change | Self::SensitiveRead)
    }
}

macro_rules! table {
    ($(
        $action:ident $name:literal $did:literal on $target:ident:
        $permission:ident, seen by $sees:ident, $feature:ident $level:ident, $audit:ident
        $(, writes [$($writes:ident),+])? $(, alters [$($alters:ident),+])? $(, reads [$($reads:ident),+])? $(, jobs [$($job:ident),+])?;
    )+) => {
        /// The actions, as types.
        pub mod actions {
            $(
                #[doc = concat!("`", $name, "`: ", $did, ".")]
                #[derive(Debug, Clone, Copy)]
                pub enum $action {}
            )+
        }

        $(
            impl Action for actions::$action {
                const INFO: &'static ActionInfo = &ActionInfo {
                    name: $name,
                    did: $did,
                    permission: Permission::$permission,
                    sees: Permission::$sees,
                    level: (Feature::$feature, Level::$level),
                    audit: AuditClass::$audit,
                    writes: &[$($(RecordKind::$writes,)+)? $($(RecordKind::$alters,)+)?],
                    jobs: &[$($(Job::$job),+)?],
                };
                type Target = $target;
            }
            $($(impl Writes<$writes> for actions::$action {})+)?
            $($(impl Writes<$alters> for actions::$action {
                const ALTERS: bool = true;
            })+)?
            $($(impl Reads<$reads> for actions::$action {})+)?
        )+

        impl ActionInfo {
            /// Every action.
            pub const ALL: &'static [&'static Self] = &[$(<actions::$action as Action>::INFO),+];

            /// The row of the action with this name.
            pub fn named(name: &str) -> Option<&'static Self> {
                Self::ALL.iter().copied().find(|info| info.name == name)
            }
        }
    };
}

/// Marks a list of usage records, which are observed and not policy.
#[derive(Debug)]
pub enum Usage {}
/// Marks a list of trail entries.
#[derive(Debug)]
pub enum Entries {}

table! {
    CreateOrganization "organization.create" "created the organization" on Organization:
        OrganizationsCreate, seen by OrganizationRead, Organization Delete, Change,
        writes [Organization, Role, Member, Key];
    ReadOrganization "organization.read" "read the organization" on Organization:
        OrganizationRead, seen by OrganizationRead, Organization Read, Read, reads [Organization, Role];
    UpdateOrganization "organization.update" "changed the organization" on Organization:
        OrganizationUpdate, seen by OrganizationRead, Organization Write, Change, writes [Organization];

    ListMembers "member.list" "listed members" on Organization:
        MembersRead, seen by OrganizationRead, Members Read, Read, reads [Organization, Member, Role];
    ReadMember "member.read" "read a member" on Member:
        MembersRead, seen by MembersRead, Members Read, Read, reads [Member, Role];
    ChangeMemberRole "member.change_role" "changed a role" on Member:
        RolesAssign, seen by MembersRead, Members Write, Change, writes [Member];
    SuspendMember "member.suspend" "suspended a member" on Member:
        MembersSuspend, seen by MembersRead, Members Write, Change, writes [Member];
    ReinstateMember "member.reinstate" "reinstated a member" on Member:
        MembersSuspend, seen by MembersRead, Members Write, Change, writes [Member];
    RemoveMember "member.remove" "removed a member" on Member:
        MembersRemove, seen by MembersRead, Members Delete, Change, writes [Member], alters [Key, Invite],
        reads [Key, Invite];
    ListRoles "role.list" "listed roles" on Organization:
        RolesRead, seen by OrganizationRead, Members Read, Read, reads [Role];

    ListInvites "invite.list" "listed invites" on Organization:
        MembersInvite, seen by OrganizationRead, Members Read, Read, reads [Organization, Invite, Member, Role];
    InviteMember "invite.create" "invited someone" on Organization:
        MembersInvite, seen by OrganizationRead, Members Write, Change, writes [Invite],
        reads [Organization, Invite, Member, Role];
    ResendInvite "invite.resend" "sent an invite again" on Invite:
        MembersInvite, seen by MembersInvite, Members Write, Change, writes [Invite],
        reads [Organization, Invite, Member, Role];
    RevokeInvite "invite.revoke" "revoked an invite" on Invite:
        MembersInvite, seen by MembersInvite, Members Delete, Change, writes [Invite];
    AcceptInvite "invite.accept" "accepted an invite" on Invite:
        MembersInvite, seen by MembersInvite, Members Write, Change, writes [Invite, Member],
        reads [Organization, Invite, Member, Role];

    ListProviders "provider.list" "listed providers" on Organization:
        ProvidersRead, seen by OrganizationRead, Providers Read, Read, reads [Provider, Model];
    ReadProvider "provider.read" "read a provider" on Provider:
        ProvidersRead, seen by ProvidersRead, Providers Read, Read;
    AddProvider "provider.add" "added a provider" on Organization:
        ProvidersWrite, seen by OrganizationRead, Providers Write, Change, writes [Provider], reads [Provider];
    UpdateProvider "provider.update" "changed a provider" on Provider:
        ProvidersWrite, seen by ProvidersRead, Providers Write, Change, writes [Provider], reads [Provider];
    TestProvider "provider.test" "tested a provider" on Provider:
        ProvidersWrite, seen by ProvidersRead, Providers Write, SensitiveRead;
    RemoveProvider "provider.remove" "removed a provider" on Provider:
        ProvidersRemove, seen by ProvidersRead, Providers Delete, Change, writes [Provider], alters [Model],
        reads [Model, Key];

    ListModels "model.list" "listed approved models" on Organization:
        ModelsRead, seen by OrganizationRead, Models Read, Read, reads [Model, Provider];
    ApproveModel "model.approve" "approved a model" on Organization:
        ModelsApprove, seen by OrganizationRead, Models Write, Change, alters [Model], reads [Model, Provider];
    WithdrawModel "model.withdraw" "withdrew a model" on Model:
        ModelsApprove, seen by ModelsRead, Models Delete, Change, writes [Model];
    InvokeModel "model.invoke" "called a model" on Model:
        ModelsInvoke, seen by ModelsInvoke, Completions Write, Call;

    ListKeys "key.list" "listed API keys" on Organization:
        KeysRead, seen by OrganizationRead, Keys Read, Read, reads [Key, Model];
    ReadKey "key.read" "read an API key" on Key:
        KeysRead, seen by KeysRead, Keys Read, Read;
    CreateKey "key.create" "created an API key" on Organization:
        KeysCreate, seen by OrganizationRead, Keys Write, Change, writes [Key], reads [Key, Model];
    RotateKey "key.rotate" "rotated an API key" on Key:
        KeysRotate, seen by KeysRead, Keys Write, Change, writes [Key];
    RevokeKey "key.revoke" "revoked an API key" on Key:
        KeysRevoke, seen by KeysRead, Keys Delete, Change, writes [Key];

    ListGateways "gateway.list" "listed gateways" on Organization:
        GatewaysRead, seen by OrganizationRead, Organization Read, Read, reads [Gateway, Organization];
    AddGateway "gateway.add" "added a gateway" on Organization:
        GatewaysManage, seen by OrganizationRead, Organization Write, Change, writes [Gateway], reads [Gateway],
        jobs [AddGateway];
    EnrollGateway "gateway.enroll" "enrolled a gateway" on Gateway:
        GatewaysEnroll, seen by GatewaysEnroll, Organization Write, Change, writes [Gateway], jobs [Enroll];
    DrainGateway "gateway.drain" "drained a gateway or let it work again" on Gateway:
        GatewaysManage, seen by GatewaysRead, Organization Write, Change, writes [Gateway];
    RemoveGateway "gateway.remove" "removed a gateway" on Gateway:
        GatewaysManage, seen by GatewaysRead, Organization Delete, Change, writes [Gateway], reads [Organization];

    ReadUsage "usage.read" "read usage" on Organization:
        UsageRead, seen by OrganizationRead, Usage Read, Read, reads [Usage];
    ReadTrail "trail.read" "read the trail" on Organization:
        TrailRead, seen by OrganizationRead, Trail Read, Read, reads [Entries], jobs [Verify];
    ExportTrail "trail.export" "exported the trail" on Organization:
        TrailRead, seen by OrganizationRead, Trail Read, SensitiveRead, reads [Entries], jobs [Export];
    FollowTrail "trail.follow" "followed the trail" on Organization:
        TrailFollow, seen by TrailFollow, Trail Read, Read, reads [Entries, Gateway, Organization],
        jobs [Follower, Verify];
    BeginEpoch "trail.begin_epoch" "began an epoch of the trail after a backup was restored" on Organization:
        TrailRestore, seen by TrailRestore, Organization Write, Change, writes [Organization], jobs [Restore];
    RecordUsage "usage.record" "recorded usage" on Organization:
        UsageRecord, seen by UsageRecord, Usage Write, Read, reads [Usage], jobs [Ingest];

    OpenAccount "account.open" "opened an account" on Account:
        SignIn, seen by SignIn, Organization Delete, SignIn;
    SignIn "session.sign_in" "signed in" on Account:
        SignIn, seen by SignIn, Organization Delete, SignIn;
    SignOut "session.sign_out" "signed out" on Session:
        AccountOwn, seen by AccountOwn, Organization Delete, SignIn;
    ListSessions "session.list" "listed own browser sessions" on Account:
        AccountOwn, seen by AccountOwn, Organization Delete, Read;
    RevokeSession "session.revoke" "revoked a browser session" on Session:
        AccountOwn, seen by AccountOwn, Organization Delete, SignIn;
    RevokeOtherSessions "session.revoke_others" "revoked their other browser sessions" on Account:
        AccountOwn, seen by AccountOwn, Organization Delete, SignIn;
    ReadAccount "account.read" "read their account" on Account:
        AccountOwn, seen by AccountOwn, Organization Delete, Read;
    UpdateAccount "account.update" "changed their account" on Account:
        AccountOwn, seen by AccountOwn, Organization Delete, SignIn;
    ChangePassword "account.password" "changed their password" on Account:
        AccountOwn, seen by AccountOwn, Organization Delete, SignIn;
    RegisterOrganization "organization.register" "registered an organization" on Organization:
        OrganizationsCreate, seen by AccountOwn, Organization Delete, SignIn;
    ListOrganizations "organization.list" "listed own organizations" on Account:
        AccountOwn, seen by AccountOwn, Organization Delete, Read;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_only_changes_write() {
        for info in ActionInfo::ALL {
            let namesakes = ActionInfo::ALL.iter().filter(|other| other.name == info.name).count();
            assert_eq!(namesakes, 1, "{} stands twice", info.name);
            assert_eq!(info.writes.is_empty(), info.audit != AuditClass::Change, "{}", info.name);
        }
    }
}
