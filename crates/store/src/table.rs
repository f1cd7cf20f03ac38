//! One record, one table: the only places where rows become records and records become rows.

use gatewarden_types::{
    Builtin, CredentialRef, Gateway, Id, Invite, Key, KeyOwner, Member, Model, Organization, Provider, Record, Role,
    Seq, Timestamp, Versioned,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, sea_query::SimpleExpr};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{StoreError, entity, error::corrupt};

/// A record that has a table of its own.
pub trait Table: Record {
    /// Its rows.
    type Entity: EntityTrait<Model: IntoActiveModel<<Self::Entity as EntityTrait>::ActiveModel> + Send + Sync>;

    /// The row of this record, last written by the entry `version`.
    fn row(&self, version: Seq) -> Result<<Self::Entity as EntityTrait>::Model, StoreError>;

    /// The record of a row.
    fn read(row: <Self::Entity as EntityTrait>::Model) -> Result<Versioned<Self>, StoreError>;

    /// The column of its id.
    fn id_column() -> <Self::Entity as EntityTrait>::Column;

    /// `id = …`
    fn id_is(id: Uuid) -> SimpleExpr {
        Self::id_column().eq(id)
    }

    /// `id > …`
    fn after(id: Uuid) -> SimpleExpr {
        Self::id_column().gt(id)
    }

    /// What makes a row `member`'s own. A kind that has no owners is cut by no reach: who may list it sees all of it.
    fn owned_by(_member: Option<Id<Member>>) -> Condition {
        Condition::all()
    }
}

/// That `column` names the member; nothing is a nobody's own.
pub(crate) fn own(column: impl ColumnTrait, member: Option<Id<Member>>) -> Condition {
    Condition::all().add(match member {
        Some(member) => column.eq(member.uuid()),
        None => SimpleExpr::Constant(false.into()),
    })
}

/// A one-word value as text.
fn word(value: &impl Serialize) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        other => Err(corrupt("word")(&format!("{other:?}"))),
    }
}

fn unword<T: DeserializeOwned>(what: &'static str, text: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(text)).map_err(|bad| corrupt(what)(&bad))
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|bad| corrupt("record")(&bad))
}

fn unjson<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|bad| corrupt(what)(&bad))
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(what: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|bad| corrupt(what)(&bad))
}

pub(crate) fn digest(what: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| corrupt(what)(&"a digest has 32 bytes"))
}

pub(crate) fn seq(version: i64) -> Seq {
    Seq::try_from(version).unwrap_or_default()
}

pub(crate) fn column(version: Seq) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

impl Table for Organization {
    type Entity = entity::organization::Entity;

    fn row(&self, version: Seq) -> Result<entity::organization::Model, StoreError> {
        Ok(entity::organization::Model {
            id: self.id.uuid(),
            version: column(version),
            slug: self.slug.to_string(),
            name: self.name.to_string(),
            state: word(&self.state)?,
            visibility: json(&self.visibility)?,
            limits: json(&self.limits)?,
            epoch: self.epoch.into(),
            stale_after: self.stale_after.seconds().into(),
        })
    }

    fn read(row: entity::organization::Model) -> Result<Versioned<Self>, StoreError> {
        let record = Self {
            id: Id::from_uuid(row.id),
            slug: parse("organization", &row.slug)?,
            name: parse("organization", &row.name)?,
            state: unword("organization", row.state)?,
            visibility: unjson("organization", &row.visibility)?,
            limits: unjson("organization", &row.limits)?,
            epoch: row.epoch.try_into().map_err(|bad| corrupt("organization")(&bad))?,
            stale_after: parse("organization", &row.stale_after.to_string())?,
        };
        Ok(Versioned { version: seq(row.version), record })
    }

    fn id_column() -> entity::organization::Column {
        entity::organization::Column::Id
    }
}

impl Table for Role {
    type Entity = entity::roles::Entity;

    fn row(&self, version: Seq) -> Result<entity::roles::Model, StoreError> {
        Ok(entity::roles::Model {
            id: self.id.uuid(),
            version: column(version),
            name: self.name.to_string(),
            builtin: self.builtin.map(|builtin| word(&builtin)).transpose()?,
            powers: json(&self.powers)?,
        })
    }

    fn read(row: entity::roles::Model) -> Result<Versioned<Self>, StoreError> {
        let record = Self {
            id: Id::from_uuid(row.id),
            name: parse("role", &row.name)?,
            builtin: row.builtin.map(|word| unword::<Builtin>("role", word)).transpose()?,
            powers: unjson("role", &row.powers)?,
        };
        Ok(Versioned { version: seq(row.version), record })
    }

    fn id_column() -> entity::roles::Column {
        entity::roles::Column::Id
    }
}

impl Table for Member {
    type Entity = entity::members::Entity;

    fn row(&self, version: Seq) -> Result<entity::members::Model, StoreError> {
        Ok(entity::members::Model {
            id: self.id.uuid(),
            version: column(version),
            account: self.account.uuid(),
            role: self.role.uuid(),
            state: word(&self.state)?,
        })
    }

    fn read(row: entity::members::Model) -> Result<Versioned<Self>, StoreError> {
        let record = Self {
            id: Id::from_uuid(row.id),
            account: Id::from_uuid(row.account),
            role: Id::from_uuid(row.role),
            state: unword("member", row.state)?,
        };
        Ok(Versioned { version: seq(row.version), record })
    }

    fn id_column() -> entity::members::Column {
        entity::members::Column::Id
    }

    fn owned_by(member: Option<Id<Member>>) -> Condition {
        own(entity::members::Column::Id, member)
    }
}

impl Table for Invite {
    type Entity = entity::invites::Entity;

    fn row(&self, version: Seq) -> Result<entity::invites::Model, StoreError> {
        Ok(entity::invites::Model {
            id: self.id.uuid(),
            version: column(version),
            role: self.role.uuid(),
            invited_by: self.invited_by.uuid(),
            verifier: self.verifier.0.to_vec(),
            expires: self.expires.micros(),
            state: word(&self.state)?,
        })
    }

    fn read(row: entity::invites::Model) -> Result<Versioned<Self>, StoreError> {
        let record = Self {
            id: Id::from_uuid(row.id),
            role: Id::from_uuid(row.role),
            invited_by: Id::from_uuid(row.invited_by),
            verifier: gatewarden_types::Digest(digest("invite", &row.verifier)?),
            expires: Timestamp::from_micros(row.expires),
            state: unword("invite", row.state)?,
        };
        Ok(Versioned { version: seq(row.version), record })
    }

    fn id_column() -> entity::invites::Column {
        entity::invites::Column::Id
    }
}

impl Table for Gateway {
    type Entity = entity::gateways::Entity;

    fn row(&self, version: Seq) -> Result<entity::gateways::Model, StoreError> {
        Ok(entity::gateways::Model {
            id: self.id.uuid(),
            version: column(version),
            name: self.name.to_string(),
            state: word(&self.state)?,
            verifier: self.verifier.0.to_vec(),
            expires: self.expires.micros(),
        })
    }

    fn read(row: entity::gateways::Model) -> Result<Versioned<Self>, StoreError> {
        let record = Self {
            id: Id::from_uuid(row.id),
            name: parse("gateway", &row.name)?,
            state: unword("gateway", row.state)?,
            verifier: gatewarden_types::Digest(digest("gateway", &row.verifier)?),
            expires: Timestamp::from_micros(row.expires),
        };
        Ok(Versioned { version: seq(row.version), record })
    }

    fn id_column() -> entity::gateways::Column {
        entity::gateways::Column::Id
    }
}

impl Table for Provider {
    type Entity = entity::providers::Entity;

    fn row(&self, version: Seq) -> Result<entity::providers::Model, StoreError> {
        Ok(entity::providers::Model {
            id: self.id.uuid(),
            version: column(version),
            name: self.name.to_string(),
            dialect: word(&self.dialect)?,
            base_url: self.base_url.to_string(),
            credential: self.credential.map(|credential| credential.0.to_string()),
        })
    }

    fn read(row: entity::providers::Model) -> Result<Versioned<Self>, StoreError> {
        let credential = row.credential.map(|text| parse("provider", &text)).transpose()?;
        let record = Self {
            id: Id::from_uuid(row.id),
            name: parse("provider", &row.name)?,
            dialect: unword("provider", row.dialect)?,
            base_url: parse("provider", &row.base_url)?,
            credential: credential.map(CredentialRef),
        };
        Ok(Versioned { version: seq(row.version), record })
    }

    fn id_column() -> entity::providers::Column {
        entity::providers::Column::Id
    }
}

impl Table for Model {
    type Entity = entity::models::Entity;

    fn row(&self, version: Seq) -> Result<entity::models::Model, StoreError> {
        Ok(entity::models::Model {
            id: self.id.uuid(),
            version: column(version),
            name: self.name.to_string(),
            provider: self.provider.uuid(),
            upstream: self.upstream.to_string(),
            state: word(&self.state)?,
        })
    }

    fn read(row: entity::models::Model) -> Result<Versioned<Self>, StoreError> {
        let record = Self {
            id: Id::from_uuid(row.id),
            name: parse("model", &row.name)?,
            provider: Id::from_uuid(row.provider),
            upstream: parse("model", &row.upstream)?,
            state: unword("model", row.state)?,
        };
        Ok(Versioned { version: seq(row.version), record })
    }

    fn id_column() -> entity::models::Column {
        entity::models::Column::Id
    }
}

impl Table for Key {
    type Entity = entity::keys::Entity;

    fn row(&self, version: Seq) -> Result<entity::keys::Model, StoreError> {
        let owner = match self.owner {
            KeyOwner::Member(member) => Some(member.uuid()),
            KeyOwner::Organization => None,
        };
        Ok(entity::keys::Model {
            id: self.id.uuid(),
            version: column(version),
            name: self.name.to_string(),
            owner,
            levels: json(&self.levels)?,
            models: json(&self.models)?,
            limits: json(&self.limits)?,
            expires: self.expires.map(Timestamp::micros),
            verifier: self.verifier.0.to_vec(),
            state: word(&self.state)?,
        })
    }

    fn read(row: entity::keys::Model) -> Result<Versioned<Self>, StoreError> {
        let owner = row.owner.map_or(KeyOwner::Organization, |member| KeyOwner::Member(Id::from_uuid(member)));
        let record = Self {
            id: Id::from_uuid(row.id),
            name: parse("key", &row.name)?,
            owner,
            levels: unjson("key", &row.levels)?,
            models: unjson("key", &row.models)?,
            limits: unjson("key", &row.limits)?,
            expires: row.expires.map(Timestamp::from_micros),
            verifier: gatewarden_types::Digest(digest("key", &row.verifier)?),
            state: unword("key", row.state)?,
        };
        Ok(Versioned { version: seq(row.version), record })
    }

    fn id_column() -> entity::keys::Column {
        entity::keys::Column::Id
    }

    fn owned_by(member: Option<Id<Member>>) -> Condition {
        own(entity::keys::Column::Owner, member)
    }
}
