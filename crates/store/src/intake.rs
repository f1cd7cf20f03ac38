//! What machines report of an organization. There is no way from here to a policy row.

use gatewarden_access::{Caller, Permit, Refused, Subject, actions::RecordUsage, decide};
use gatewarden_types::{Actor, Id, Job, Organization, Request, Target, Timestamp};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::{Alias, Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

use crate::{Store, StoreError, UsageRecord, entity, table::column};

/// How many attempts an organization keeps; the oldest make room.
const KEPT_ATTEMPTS: u64 = 10_000;

/// Takes in what was observed of one organization.
#[derive(Debug)]
pub struct OrgIntake {
    tx: DatabaseTransaction,
    _permit: Permit<RecordUsage>,
}

impl Store {
    /// Begins to take in what was observed of an organization, as the program's own ingest.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn intake(&self, organization: Id<Organization>) -> Result<OrgIntake, StoreError> {
        let caller = Caller::system(Job::Ingest, self.request_id());
        let facts = gatewarden_access::Facts::system(caller, organization, Job::Ingest);
        let permit = decide(&facts, Some(Subject::new(Target::of(organization))))?;
        let tx = self.0.backend.observe(organization).await?;
        Ok(OrgIntake { tx, _permit: permit })
    }

    /// Keeps a refusal beside the trail. That it cannot be kept is logged and changes nothing for the caller.
    pub(crate) async fn note_attempt(&self, organization: Id<Organization>, refused: &Refused) {
        if !refused.action.audit.keeps_attempts() {
            return;
        }
        let id: Id<Request> = self.request_id();
        let at = self.0.clock.now();
        let noted = async {
            let intake = self.intake(organization).await?;
            intake.attempt(id.uuid(), at, refused).await?;
            intake.commit().await
        };
        if let Err(bad) = noted.await {
            tracing::warn!(%organization, error = %bad, "an attempt could not be kept");
        }
    }
}

impl OrgIntake {
    /// Adds usage records; one that is there already is passed over.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn usage(&self, records: &[UsageRecord]) -> Result<(), StoreError> {
        use entity::usage::{ActiveModel, Column, Entity};
        if records.is_empty() {
            return Ok(());
        }
        let rows = records.iter().map(|record| ActiveModel {
            id: Set(record.id.uuid()),
            at: Set(record.at.micros()),
            key: Set(record.key.uuid()),
            member: Set(record.member.map(Id::uuid)),
            model: Set(record.model.map(Id::uuid)),
            provider: Set(record.provider.map(Id::uuid)),
            status: Set(i64::from(record.status)),
            refused: Set(record.refused.clone()),
            input_tokens: Set(column(record.input_tokens)),
            output_tokens: Set(column(record.output_tokens)),
            latency: Set(column(record.latency_micros)),
            upstream_latency: Set(column(record.upstream_micros)),
            decided_under: Set(column(record.decided_under)),
        });
        let once = OnConflict::column(Column::Id).do_nothing().to_owned();
        Entity::insert_many(rows).on_conflict(once).exec_without_returning(&self.tx).await?;
        Ok(())
    }

    /// Says when members and keys were seen; the latest is kept.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn seen(&self, subjects: &[(Uuid, Timestamp)]) -> Result<(), StoreError> {
        use entity::presence::{ActiveModel, Column, Entity};
        if subjects.is_empty() {
            return Ok(());
        }
        let rows = subjects.iter().map(|(id, at)| ActiveModel { subject: Set(*id), at: Set(at.micros()) });
        // Reports come in any order: an earlier sight takes no later one back.
        let newer = Expr::col((Alias::new("excluded"), Column::At)).gt(Expr::col((Entity, Column::At)));
        let replace = OnConflict::column(Column::Subject).update_column(Column::At).action_and_where(newer).to_owned();
        Entity::insert_many(rows).on_conflict(replace).exec_without_returning(&self.tx).await?;
        Ok(())
    }

    async fn attempt(&self, id: Uuid, at: Timestamp, refused: &Refused) -> Result<(), StoreError> {
        use entity::attempts::{ActiveModel, Column, Entity};
        let actor = match refused.caller.actor {
            Actor::Account(account) => account.to_string(),
            other => format!("{other:?}").to_lowercase(),
        };
        let row = ActiveModel {
            id: Set(id),
            at: Set(at.micros()),
            actor: Set(actor),
            action: Set(refused.action.name.to_owned()),
            target: Set(refused.target.as_ref().map(Target::text)),
            reason: Set(refused.reason.word().to_owned()),
        };
        Entity::insert(row).exec_without_returning(&self.tx).await?;
        let newest =
            sea_orm::QuerySelect::offset(sea_orm::QueryOrder::order_by_desc(Entity::find(), Column::Id), KEPT_ATTEMPTS);
        if let Some(oldest) = newest.one(&self.tx).await? {
            Entity::delete_many().filter(Column::Id.lte(oldest.id)).exec(&self.tx).await?;
        }
        Ok(())
    }

    /// Makes it so.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}
