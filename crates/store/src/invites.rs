//! Invites: the open ones, whose address is taken, and what a link lets its holder do.

use gatewarden_access::{
    Facts, Permit, Reads, Subject,
    actions::{AcceptInvite, ListInvites},
    decide,
};
use gatewarden_types::{Digest, Email, Id, Invite, InviteState, Member, Role, Target, Versioned, fold};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use crate::{
    OrgRead, StoreError, Table,
    entity::{invite_addresses as a, invites as i, people as p},
    org_read::find,
};

/// What has an address already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressOf {
    /// A member.
    Member(Id<Member>),
    /// An invite that can still be accepted.
    Invite(Id<Invite>),
}

impl OrgRead {
    /// Every invite that is neither accepted nor revoked, newest first; some have ended.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn open_invites(&self, permit: &Permit<ListInvites>) -> Result<Vec<Versioned<Invite>>, StoreError> {
        let open = i::Entity::find().filter(i::Column::State.eq("pending")).order_by_desc(i::Column::Id);
        open.all(self.by(permit)?).await?.into_iter().map(Invite::read).collect()
    }

    /// How many invites can still be accepted.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn waiting_invites(&self, permit: &Permit<ListInvites>) -> Result<u64, StoreError> {
        let open = i::Entity::find().filter(i::Column::State.eq("pending"));
        Ok(open.filter(i::Column::Expires.gt(self.now.micros())).count(self.by(permit)?).await?)
    }

    /// What has this address here, if anything has: a member before an invite.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn address_of<A: Reads<Member> + Reads<Invite>>(
        &self,
        permit: &Permit<A>,
        email: &Email,
    ) -> Result<Option<AddressOf>, StoreError> {
        let person =
            p::Entity::find().filter(p::Column::EmailKey.eq(fold(email.as_str()))).one(self.by(permit)?).await?;
        if let Some(person) = person {
            return Ok(Some(AddressOf::Member(Id::from_uuid(person.member))));
        }
        let sent = a::Entity::find().filter(a::Column::Email.eq(email.as_str())).all(self.by(permit)?).await?;
        let open = i::Entity::find()
            .filter(i::Column::Id.is_in(sent.into_iter().map(|sent| sent.invite)))
            .filter(i::Column::State.eq("pending"))
            .filter(i::Column::Expires.gt(self.now.micros()));
        Ok(open.one(self.by(permit)?).await?.map(|invite| AddressOf::Invite(Id::from_uuid(invite.id))))
    }

    /// Asks to accept an invite with the token of its link, within what its sender may give now. One that was used,
    /// revoked or has ended, and a wrong token, are refused like one that is not there.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when access says no.
    pub async fn permit_invited(
        &self,
        id: Id<Invite>,
        verifier: Digest,
    ) -> Result<(Permit<AcceptInvite>, Versioned<Invite>), StoreError> {
        let usable = |invite: &Versioned<Invite>| {
            let Invite { state, expires, .. } = invite.record;
            // The verifier is a hash of 256 random bits: comparing it tells a guesser nothing.
            state == InviteState::Pending && self.now < expires && invite.record.verifier == verifier
        };
        let Some(row) = find::<Invite>(&self.tx, id).await?.filter(usable) else {
            return Err(crate::org_read::not_found::<AcceptInvite>(&self.facts));
        };
        let facts = self.facts_of_invited(&row.record).await?;
        let confers = self.role_powers(row.record.role).await?;
        let subject = confers.map(|confers| Subject { confers, ..Subject::new(Target::of(id)) });
        Ok((decide(&facts, subject)?, row))
    }

    /// The sender's power in the hands of the holder of the link; none once the sender is gone.
    async fn facts_of_invited(&self, invite: &Invite) -> Result<Facts, StoreError> {
        let caller = self.facts.caller().clone();
        let sender = find::<Member>(&self.tx, invite.invited_by).await?;
        let role = match &sender {
            Some(sender) => find::<Role>(&self.tx, sender.record.role).await?,
            None => None,
        };
        let facts = match (&self.organization, sender, role) {
            (Some(here), Some(sender), Some(role)) => {
                Facts::invited(caller, invite, &here.record, &sender.record, &role.record)
            }
            _ => Facts::stranger(caller, self.id),
        };
        Ok(facts.read_in(self.facts.transaction()))
    }
}
