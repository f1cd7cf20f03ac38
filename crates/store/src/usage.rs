//! Usage: what was called, by whom, and how it went. Observed, so it is no part of the trail.

use std::{collections::BTreeMap, ops::Deref};

use gatewarden_access::{Action, Permit, Reads, Usage};
use gatewarden_types::{Id, Key, Member, Model, Provider, Reach, Record, Request, Seq, Timestamp};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, Func, Query},
};
use uuid::Uuid;

use crate::{
    OrgRead, StoreError, entity,
    entity::usage::Column,
    org_read::uuids,
    table::{own, seq},
};

/// The members that are asked for, as a list of values stands in a statement.
const ASKED: (&str, &str) = ("asked", "column1");

/// One call, as the gateway saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    /// The call's own id, by which a record that is sent twice is known.
    pub id: Id<Request>,
    /// When it began.
    pub at: Timestamp,
    /// The key.
    pub key: Id<Key>,
    /// The member whose key it is; none for a key of the organization.
    pub member: Option<Id<Member>>,
    /// The model, where one was found.
    pub model: Option<Id<Model>>,
    /// Its provider.
    pub provider: Option<Id<Provider>>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Why it was refused, as a word, if it was.
    pub refused: Option<String>,
    /// Tokens in the prompt, as the provider counted them.
    pub input_tokens: u64,
    /// Tokens in the answer, as the provider counted them.
    pub output_tokens: u64,
    /// From the request's arrival to the end of the answer, in microseconds.
    pub latency_micros: u64,
    /// Of these, waiting for the provider.
    pub upstream_micros: u64,
    /// The seq of the last entry the gateway knew when it decided.
    pub decided_under: Seq,
}

/// Which calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageFilter {
    /// From here on.
    pub since: Timestamp,
    /// And before this.
    pub until: Timestamp,
}

/// Sums over some calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageSlice {
    /// How many calls.
    pub calls: u64,
    /// How many of them were refused by the gateway.
    pub refused: u64,
    /// Tokens in prompts.
    pub input_tokens: u64,
    /// Tokens in answers.
    pub output_tokens: u64,
}

impl OrgRead {
    /// Sums by stretches of `step_micros`, each named by its beginning; stretches without calls are left out.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn usage_over_time<A: Reads<Usage>>(
        &self,
        permit: &Permit<A>,
        filter: UsageFilter,
        step_micros: i64,
    ) -> Result<BTreeMap<Timestamp, UsageSlice>, StoreError> {
        let step = Ord::max(step_micros, 1);
        let stretch = Expr::col(Column::At).div(Expr::value(step));
        let slices = self.sums::<A, i64>(permit, filter, stretch).await?;
        let begin = |n: i64| Timestamp::from_micros(n.saturating_mul(step));
        Ok(slices.into_iter().map(|(n, slice)| (begin(n), slice)).collect())
    }

    /// Sums by model; calls that named no approved model stand under none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn usage_by_model<A: Reads<Usage>>(
        &self,
        permit: &Permit<A>,
        filter: UsageFilter,
    ) -> Result<Vec<(Option<Id<Model>>, UsageSlice)>, StoreError> {
        let slices = self.sums::<A, Option<Uuid>>(permit, filter, Expr::col(Column::Model)).await?;
        Ok(slices.into_iter().map(|(id, slice)| (id.map(Id::from_uuid), slice)).collect())
    }

    /// Sums by member; the organization's own keys stand under none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn usage_by_member<A: Reads<Usage>>(
        &self,
        permit: &Permit<A>,
        filter: UsageFilter,
    ) -> Result<Vec<(Option<Id<Member>>, UsageSlice)>, StoreError> {
        let slices = self.sums::<A, Option<Uuid>>(permit, filter, Expr::col(Column::Member)).await?;
        Ok(slices.into_iter().map(|(id, slice)| (id.map(Id::from_uuid), slice)).collect())
    }

    /// How many calls each of these members made; those without any are left out.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn calls_of<A: Reads<Usage>>(
        &self,
        permit: &Permit<A>,
        filter: UsageFilter,
        members: impl IntoIterator<Item = Id<Member>>,
    ) -> Result<BTreeMap<Id<Member>, u64>, StoreError> {
        let members = uuids(members);
        if members.is_empty() {
            return Ok(BTreeMap::new());
        }
        let tx = self.observed(permit).await?;
        // One member after the other, by the index on member and time. PostgreSQL plans a statement that it has seen a
        // few times without looking at its values; with all members in one list it then reads every call of the time.
        let theirs = reached(permit, filter)
            .filter(Expr::col((entity::usage::Entity, Column::Member)).eq(Expr::col(ASKED)))
            .select_only()
            .expr(Func::count(Expr::col(Column::Member)))
            .into_query();
        let select = Query::select().expr(Expr::col(ASKED)).expr(theirs).from_values(members, ASKED.0).to_owned();
        let count = |row: &QueryResult| {
            let calls: i64 = row.try_get_by_index(1)?;
            Ok((Id::from_uuid(row.try_get_by_index(0)?), u64::try_from(calls).unwrap_or_default()))
        };
        let counted: BTreeMap<_, _> = tx.query_all(&select).await?.iter().map(count).collect::<Result<_, DbErr>>()?;
        Ok(counted.into_iter().filter(|(_, calls)| *calls > 0).collect())
    }

    /// How many calls were refused, by reason.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn refusals<A: Reads<Usage>>(
        &self,
        permit: &Permit<A>,
        filter: UsageFilter,
    ) -> Result<Vec<(String, UsageSlice)>, StoreError> {
        let slices = self.sums::<A, Option<String>>(permit, filter, Expr::col(Column::Refused)).await?;
        Ok(slices.into_iter().filter_map(|(reason, slice)| Some((reason?, slice))).collect())
    }

    /// The latency in microseconds that this share of the answered calls stayed within; none without any.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn latency<A: Reads<Usage>>(
        &self,
        permit: &Permit<A>,
        filter: UsageFilter,
        share: (u64, u64),
    ) -> Result<Option<u64>, StoreError> {
        let tx = self.observed(permit).await?;
        let answered = || reached(permit, filter).filter(Column::Refused.is_null());
        let calls: Option<i64> =
            answered().select_only().expr(Func::count(Expr::col(Column::Id))).into_tuple().one(&*tx).await?;
        let calls = u64::try_from(calls.unwrap_or_default()).unwrap_or_default();
        if calls == 0 {
            return Ok(None);
        }
        let rank = Ord::min(calls * share.0 / Ord::max(share.1, 1), calls - 1);
        let latency: Option<i64> = answered()
            .select_only()
            .column(Column::Latency)
            .order_by_asc(Column::Latency)
            .offset(rank)
            .limit(1)
            .into_tuple()
            .one(&*tx)
            .await?;
        Ok(latency.and_then(|latency| u64::try_from(latency).ok()))
    }

    /// The newest calls, at most `limit`, before `before`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn calls<A: Reads<Usage>>(
        &self,
        permit: &Permit<A>,
        filter: UsageFilter,
        before: Option<Id<Request>>,
        limit: u64,
    ) -> Result<Vec<UsageRecord>, StoreError> {
        let tx = self.observed(permit).await?;
        let older = before.map(|before| Column::Id.lt(before.uuid()));
        let select = reached(permit, filter).filter(Condition::all().add_option(older));
        let rows = select.order_by_desc(Column::Id).limit(limit).all(&*tx).await?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// When these members or keys were last seen.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn last_seen<A: Reads<R>, R: Record>(
        &self,
        permit: &Permit<A>,
        subjects: impl IntoIterator<Item = Id<R>>,
    ) -> Result<BTreeMap<Id<R>, Timestamp>, StoreError> {
        use entity::presence::{Column, Entity};
        let tx = self.observed(permit).await?;
        let rows = Entity::find().filter(Column::Subject.is_in(uuids(subjects))).all(&*tx).await?;
        Ok(rows.into_iter().map(|row| (Id::from_uuid(row.subject), Timestamp::from_micros(row.at))).collect())
    }

    /// Where what is observed is read. A connection beside this one's is taken only from a pool of its own, because those
    /// who hold one and wait for another of the same pool would wait for each other.
    async fn observed<A: Action>(&self, permit: &Permit<A>) -> Result<Observed<'_>, StoreError> {
        let here = self.by(permit)?;
        let apart = self.store.0.backend.observed(self.id).await?;
        Ok(apart.map_or(Observed::Here(here), Observed::Apart))
    }

    async fn sums<A: Reads<Usage>, K: sea_orm::TryGetable + Send>(
        &self,
        permit: &Permit<A>,
        filter: UsageFilter,
        by: Expr,
    ) -> Result<Vec<(K, UsageSlice)>, StoreError> {
        let tx = self.observed(permit).await?;
        let total = |column: Column| Func::sum(Expr::col(column)).cast_as("BIGINT");
        let rows: Vec<SumRow<K>> = reached(permit, filter)
            .select_only()
            .expr_as(by, "slice")
            .expr(Func::count(Expr::col(Column::Id)))
            .expr(Func::count(Expr::col(Column::Refused)))
            .expr(total(Column::InputTokens))
            .expr(total(Column::OutputTokens))
            // By its name: to PostgreSQL an expression with a parameter is another one each time it is written.
            .group_by(Expr::col("slice"))
            .into_tuple()
            .all(&*tx)
            .await?;
        let number = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).unwrap_or_default();
        let slice = |(key, calls, refused, input, output)| {
            let slice = UsageSlice {
                calls: number(Some(calls)),
                refused: number(Some(refused)),
                input_tokens: number(input),
                output_tokens: number(output),
            };
            (key, slice)
        };
        Ok(rows.into_iter().map(slice).collect())
    }
}

/// A read of what is observed.
enum Observed<'a> {
    /// In the read of the organization.
    Here(&'a DatabaseTransaction),
    /// In a file of its own.
    Apart(DatabaseTransaction),
}

impl Deref for Observed<'_> {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        match self {
            Self::Here(tx) => tx,
            Self::Apart(tx) => tx,
        }
    }
}

/// Key, calls, refused, input tokens, output tokens.
type SumRow<K> = (K, i64, i64, Option<i64>, Option<i64>);

/// The calls of a time that the permit reaches.
fn reached<A: Reads<Usage>>(permit: &Permit<A>, filter: UsageFilter) -> Select<entity::usage::Entity> {
    let whose = match permit.reach() {
        Reach::All => Condition::all(),
        Reach::Own => own(Column::Member, permit.member()),
    };
    entity::usage::Entity::find()
        .filter(whose)
        .filter(Column::At.gte(filter.since.micros()))
        .filter(Column::At.lt(filter.until.micros()))
}

fn read(row: entity::usage::Model) -> UsageRecord {
    let number = |n: i64| u64::try_from(n).unwrap_or_default();
    UsageRecord {
        id: Id::from_uuid(row.id),
        at: Timestamp::from_micros(row.at),
        key: Id::from_uuid(row.key),
        member: row.member.map(Id::from_uuid),
        model: row.model.map(Id::from_uuid),
        provider: row.provider.map(Id::from_uuid),
        status: u16::try_from(row.status).unwrap_or_default(),
        refused: row.refused,
        input_tokens: number(row.input_tokens),
        output_tokens: number(row.output_tokens),
        latency_micros: number(row.latency),
        upstream_micros: number(row.upstream_latency),
        decided_under: seq(row.decided_under),
    }
}
