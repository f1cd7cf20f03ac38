//! The rows of every table. Private to this crate: what leaves it are records.

macro_rules! entity {
    ($(#[$doc:meta])* $module:ident $table:literal { $($(#[$field_meta:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        pub mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub struct Model {
                $($(#[$field_meta])* pub $field: $type),+
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

entity!(organization "organization" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    version: i64, slug: String, name: String, state: String, visibility: String,
    limits: String, epoch: i64, stale_after: i64,
});
entity!(roles "roles" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    version: i64, name: String, builtin: Option<String>, powers: String,
});
entity!(members "members" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    version: i64, account: Uuid, role: Uuid, state: String,
});
entity!(invites "invites" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    version: i64, role: Uuid, invited_by: Uuid, verifier: Vec<u8>, expires: i64, state: String,
});
entity!(providers "providers" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    version: i64, name: String, dialect: String, base_url: String, credential: Option<String>,
});
entity!(models "models" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    version: i64, name: String, provider: Uuid, upstream: String, state: String,
});
entity!(gateways "gateways" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    version: i64, name: String, state: String, verifier: Vec<u8>, expires: i64,
});
entity!(keys "keys" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    version: i64, name: String, owner: Option<Uuid>, levels: String, models: String,
    limits: String, expires: Option<i64>, verifier: Vec<u8>, state: String,
});
entity!(people "people" {
    #[sea_orm(primary_key, auto_increment = false)] member: Uuid,
    name: String, email: String, name_key: String, email_key: String,
});
entity!(invite_addresses "invite_addresses" {
    #[sea_orm(primary_key, auto_increment = false)] invite: Uuid,
    email: String,
});
entity!(credentials "credentials" {
    #[sea_orm(primary_key, auto_increment = false)] digest: String,
    sealed: Vec<u8>,
});
entity!(idempotency "idempotency" {
    #[sea_orm(primary_key, auto_increment = false)] caller: Uuid,
    #[sea_orm(primary_key, auto_increment = false)] word: String,
    request: Vec<u8>, record: Uuid, at: i64,
});
entity!(entries "entries" {
    #[sea_orm(primary_key, auto_increment = false)] seq: i64,
    request: Uuid, at: i64, action: String, actor: Option<Uuid>, target: Uuid, bytes: Vec<u8>,
});
entity!(leaves "leaves" {
    #[sea_orm(primary_key, auto_increment = false)] seq: i64,
    hash: Vec<u8>, frontier: Vec<u8>,
});
entity!(changes "changes" {
    #[sea_orm(primary_key, auto_increment = false)] record: Uuid,
    #[sea_orm(primary_key, auto_increment = false)] seq: i64,
});
entity!(checkpoints "checkpoints" {
    #[sea_orm(primary_key, auto_increment = false)] epoch: i64,
    #[sea_orm(primary_key, auto_increment = false)] size: i64,
    note: String,
});
entity!(usage "usage" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    at: i64, key: Uuid, member: Option<Uuid>, model: Option<Uuid>, provider: Option<Uuid>, status: i64,
    refused: Option<String>, input_tokens: i64, output_tokens: i64, latency: i64, upstream_latency: i64,
    decided_under: i64,
});
entity!(presence "presence" {
    #[sea_orm(primary_key, auto_increment = false)] subject: Uuid,
    at: i64,
});
entity!(attempts "attempts" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    at: i64, actor: String, action: String, target: Option<String>, reason: String,
});

entity!(
    /// Accounts, in the control schema.
    accounts "accounts" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    email: String, name: String, password: String, created: i64,
});
entity!(sessions "sessions" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    digest: Vec<u8>, account: Uuid, created: i64, seen: i64, expires: i64, device: String, network: String,
});
entity!(organizations "organizations" {
    #[sea_orm(primary_key, auto_increment = false)] id: Uuid,
    slug: String, state: String, created: i64,
});
entity!(directory "directory" {
    #[sea_orm(primary_key, auto_increment = false)] subject: Uuid,
    #[sea_orm(primary_key, auto_increment = false)] organization: Uuid,
});
entity!(
    /// Checkpoints of every trail, as the control schema keeps them.
    kept_checkpoints "checkpoints" {
    #[sea_orm(primary_key, auto_increment = false)] organization: Uuid,
    #[sea_orm(primary_key, auto_increment = false)] epoch: i64,
    #[sea_orm(primary_key, auto_increment = false)] size: i64,
    note: String,
});
