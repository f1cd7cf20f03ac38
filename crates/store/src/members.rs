//! The list of members: one query that searches, filters, sorts and pages, and stays fast at 10,000.

use gatewarden_access::{Action, Permit, Reads};
use gatewarden_types::{Builtin, Id, Member, MemberState, Role, Versioned, fold};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryResult, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Func, IntoColumnRef, Order, Query, SelectStatement},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

use crate::{
    OrgRead, Person, StoreError, Table, entity,
    entity::members as m,
    entity::people as p,
    org_read::{find_all, uuids},
};

/// A member and who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The policy row.
    pub member: Versioned<Member>,
    /// Name and address.
    pub person: Person,
}

/// Which members.
#[derive(Debug, Clone, Default)]
pub struct MemberFilter {
    /// Part of a name or address, in any case.
    pub search: Option<String>,
    /// With this role.
    pub role: Option<Id<Role>>,
    /// In this state.
    pub state: Option<MemberState>,
}

/// In which order. Equal ones stand in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemberSort {
    /// By name.
    #[default]
    Name,
    /// By address.
    Email,
    /// By when they joined.
    Joined,
}

/// An order and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberOrder {
    /// By what.
    pub by: MemberSort,
    /// Last first.
    pub descending: bool,
}

/// Where a page begins: after or before a row, which is named by its sort key and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFrom {
    /// The row's sort key.
    pub key: String,
    /// The row's id.
    pub id: Uuid,
    /// Whether the page ends before that row instead of beginning after it.
    pub before: bool,
}

/// A page of members.
#[derive(Debug, Clone)]
pub struct MemberPage {
    /// The rows, in order.
    pub rows: Vec<MemberRow>,
    /// How many members the filter matches in all.
    pub total: u64,
    /// Whether there are more after these.
    pub more: bool,
    /// Whether there are some before these.
    pub earlier: bool,
}

impl MemberSort {
    /// The sort key of a row, for a [`PageFrom`].
    pub fn key(self, row: &MemberRow) -> String {
        match self {
            Self::Name => fold(row.person.name.as_str()),
            Self::Email => fold(row.person.email.as_str()),
            Self::Joined => String::new(),
        }
    }

    fn column(self) -> Option<p::Column> {
        match self {
            Self::Name => Some(p::Column::NameKey),
            Self::Email => Some(p::Column::EmailKey),
            Self::Joined => None,
        }
    }
}

impl OrgRead {
    /// One page of the members that the permit reaches.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn members<A: Reads<Member>>(
        &self,
        permit: &Permit<A>,
        filter: &MemberFilter,
        order: MemberOrder,
        from: Option<&PageFrom>,
        limit: u64,
    ) -> Result<MemberPage, StoreError> {
        let matching = condition(permit, filter, self.by(permit)?.get_database_backend());
        let total = self.count(&matching, filter.search.is_some()).await?;
        let backwards = from.is_some_and(|from| from.before);
        let select = page_query(&matching, order, from, limit + 1);
        let mut rows: Vec<MemberRow> =
            self.by(permit)?.query_all(&select).await?.iter().map(read).collect::<Result<_, _>>()?;
        let beyond = rows.len() as u64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        if backwards {
            rows.reverse();
        }
        let (more, earlier) = if backwards { (true, beyond) } else { (beyond, from.is_some()) };
        Ok(MemberPage { rows, total, more, earlier })
    }

    /// How many working keys each of these members has.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keys_of<A: Reads<Member>>(
        &self,
        permit: &Permit<A>,
        members: impl IntoIterator<Item = Id<Member>>,
    ) -> Result<BTreeMap<Id<Member>, u64>, StoreError> {
        use entity::keys::{Column, Entity};
        let rows: Vec<(Uuid, i64)> = Entity::find()
            .select_only()
            .column(Column::Owner)
            .expr(Func::count(Expr::col(Column::Id)))
            .filter(Column::Owner.is_in(uuids(members)))
            .filter(Column::State.eq("active"))
            .group_by(Column::Owner)
            .into_tuple()
            .all(self.by(permit)?)
            .await?;
        Ok(rows.into_iter().map(|(id, n)| (Id::from_uuid(id), u64::try_from(n).unwrap_or_default())).collect())
    }

    /// The members that the permit reaches of these accounts.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn members_of<A: Reads<Member>>(
        &self,
        permit: &Permit<A>,
        accounts: &BTreeSet<Uuid>,
    ) -> Result<Vec<Versioned<Member>>, StoreError> {
        let these = m::Column::Account.is_in(accounts.iter().copied());
        let select = m::Entity::find().filter(these).filter(Self::reach::<A, Member>(permit));
        select.all(self.by(permit)?).await?.into_iter().map(Member::read).collect()
    }

    async fn count(&self, matching: &Condition, by_person: bool) -> Result<u64, StoreError> {
        // Every member has a person, so who is not looked for need not be looked up.
        let mut select = if by_person { joined() } else { Query::select().from(m::Entity).to_owned() };
        select.expr_as(Func::count(m::Column::Id.into_expr()), Alias::new("n")).cond_where(matching.clone());
        let row = self.tx.query_one(&select).await?;
        let count: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

fn joined() -> SelectStatement {
    let mut select = Query::select();
    select.from(m::Entity).inner_join(
        p::Entity,
        Expr::col((p::Entity, p::Column::Member)).equals((m::Entity, m::Column::Id).into_column_ref()),
    );
    select
}

fn condition<A: Reads<Member>>(permit: &Permit<A>, filter: &MemberFilter, backend: DbBackend) -> Condition {
    let search = filter.search.as_deref().map(fold).filter(|text| !text.is_empty()).map(|text| {
        // Keys are folded already, so this may be exact, which takes SQLite a third of the time of LIKE.
        let position = if backend == DbBackend::Postgres { "strpos" } else { "instr" };
        let holds = |key| Expr::expr(Func::cust(position).arg(Expr::col((p::Entity, key))).arg(text.clone())).gt(0);
        Condition::any().add(holds(p::Column::NameKey)).add(holds(p::Column::EmailKey))
    });
    let state = match filter.state {
        Some(MemberState::Active) => Some("active"),
        Some(MemberState::Suspended) => Some("suspended"),
        None => None,
    };
    OrgRead::reach::<A, Member>(permit)
        .add_option(search)
        .add_option(filter.role.map(|role| m::Column::Role.eq(role.uuid())))
        .add_option(state.map(|state| m::Column::State.eq(state)))
}

fn page_query(matching: &Condition, order: MemberOrder, from: Option<&PageFrom>, limit: u64) -> SelectStatement {
    let backwards = from.is_some_and(|from| from.before);
    let ascending = order.descending == backwards;
    let direction = || if ascending { Order::Asc } else { Order::Desc };
    let past = |column: Expr, value: sea_orm::Value| if ascending { column.gt(value) } else { column.lt(value) };
    let mut select = joined();
    select
        .columns(m::Column::iter_all().map(|column| (m::Entity, column)))
        .columns([(p::Entity, p::Column::Name), (p::Entity, p::Column::Email)].map(|(t, c)| (t, c)))
        .cond_where(matching.clone())
        .limit(limit);
    // The two name columns clash with nothing: members have neither a name nor an address of their own.
    let Some(key) = order.by.column().map(|column| Expr::col((p::Entity, column))) else {
        let id = Expr::col((m::Entity, m::Column::Id));
        select.and_where_option(from.map(|from| past(id.clone(), from.id.into())));
        return select.order_by_expr(id, direction()).to_owned();
    };
    // Both columns are of one table and the key's bound stands by itself, so that an index leads to the page's edge.
    let id = Expr::col((p::Entity, p::Column::Member));
    if let Some(from) = from {
        let at = sea_orm::Value::from(from.key.clone());
        let bound = if ascending { key.clone().gte(at.clone()) } else { key.clone().lte(at.clone()) };
        select.and_where(bound.and(past(key.clone(), at).or(past(id.clone(), from.id.into()))));
    }
    select.order_by_expr(key, direction()).order_by_expr(id, direction()).to_owned()
}

fn read(row: &QueryResult) -> Result<MemberRow, StoreError> {
    let member = Member::read(entity::members::Model::from_query_result(row, "")?)?;
    let (name, email): (String, String) = (row.try_get("", "name")?, row.try_get("", "email")?);
    Ok(MemberRow { member, person: Person::read(&name, &email)? })
}

impl OrgRead {
    /// The built-in role of this kind.
    ///
    /// # Errors
    /// When the database cannot answer or the row cannot be read.
    pub async fn builtin_role<A: Action>(
        &self,
        permit: &Permit<A>,
        builtin: Builtin,
    ) -> Result<Option<Id<Role>>, StoreError> {
        let roles: Vec<Versioned<Role>> = find_all(self.by(permit)?).await?;
        Ok(roles.into_iter().find(|role| role.record.builtin == Some(builtin)).map(|role| role.record.id))
    }

    /// How many active members hold a role: exact in a transaction, because nobody else changes the organization meanwhile.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn active_holders<A: Action>(&self, permit: &Permit<A>, role: Id<Role>) -> Result<u64, StoreError> {
        let holders = m::Entity::find().filter(m::Column::Role.eq(role.uuid())).filter(m::Column::State.eq("active"));
        Ok(holders.count(self.by(permit)?).await?)
    }
}

impl m::Column {
    fn iter_all() -> impl Iterator<Item = Self> {
        <Self as sea_orm::Iterable>::iter()
    }
}
