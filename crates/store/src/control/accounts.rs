use gatewarden_access::{
    Action, Permit,
    actions::{ChangePassword, OpenAccount, SignIn, UpdateAccount},
};
use gatewarden_types::{Account, Email, Id, Name};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::{ControlRead, ControlTx, Person, StoreError, entity, entity::accounts as a};

/// An account, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: Id<Account>,
    /// Who it is.
    pub person: Person,
}

/// What a sign-in checks.
#[derive(Clone)]
pub struct SignInRow {
    /// The account.
    pub id: Id<Account>,
    /// The password's hash, as a PHC string.
    pub password: String,
}

impl std::fmt::Debug for SignInRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignInRow({})", self.id)
    }
}

impl ControlRead {
    /// What a sign-in with this address checks: one query, whether there is such an account or not.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sign_in_row(&self, permit: &Permit<SignIn>, email: &Email) -> Result<Option<SignInRow>, StoreError> {
        let row = a::Entity::find().filter(a::Column::Email.eq(email.as_str())).one(self.by(permit)?).await?;
        Ok(row.map(|row| SignInRow { id: Id::from_uuid(row.id), password: row.password }))
    }

    /// Whether an account has this address, and which.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn account_with(
        &self,
        permit: &Permit<OpenAccount>,
        email: &Email,
    ) -> Result<Option<Id<Account>>, StoreError> {
        let row = a::Entity::find().filter(a::Column::Email.eq(email.as_str())).one(self.by(permit)?).await?;
        Ok(row.map(|row| Id::from_uuid(row.id)))
    }

    /// Whether there is any account yet: without one, the instance waits to be set up.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn any_account(&self) -> Result<bool, StoreError> {
        Ok(a::Entity::find().one(&self.tx).await?.is_some())
    }

    /// The hash of the password of one's own account, as a PHC string.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn password(&self, permit: &Permit<ChangePassword>) -> Result<Option<String>, StoreError> {
        let row = a::Entity::find_by_id(permit.target_id().uuid()).one(self.by(permit)?).await?;
        Ok(row.map(|row| row.password))
    }

    /// The account a permit of its own was given for.
    ///
    /// # Errors
    /// When the database cannot answer or the row cannot be read.
    pub async fn account<A: Action<Target = Account>>(
        &self,
        permit: &Permit<A>,
    ) -> Result<Option<AccountRow>, StoreError> {
        let id = permit.target_id();
        let row = a::Entity::find_by_id(id.uuid()).one(self.by(permit)?).await?;
        row.map(|row| Ok(AccountRow { id, person: Person::read(&row.name, &row.email)? })).transpose()
    }
}

impl ControlTx {
    /// Opens an account. It may do nothing until it becomes a member somewhere.
    ///
    /// # Errors
    /// When the database cannot answer, or the address has an account already.
    pub async fn open_account(
        &mut self,
        permit: &Permit<OpenAccount>,
        person: &Person,
        password: &str,
    ) -> Result<Id<Account>, StoreError> {
        let id = permit.target_id();
        let row = a::ActiveModel {
            id: Set(id.uuid()),
            email: Set(person.email.to_string()),
            name: Set(person.name.to_string()),
            password: Set(password.to_owned()),
            created: Set(self.read.now.micros()),
        };
        a::Entity::insert(row).exec_without_returning(self.read.by(permit)?).await?;
        Ok(id)
    }

    /// Puts a hash of the same password in the place of `old`; says no where that was replaced meanwhile.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn renew_password(&mut self, permit: &Permit<SignIn>, old: &str, new: &str) -> Result<bool, StoreError> {
        self.replace_password(permit.target_id(), old, new).await
    }

    /// Puts another password's hash in the place of `old`; says no where that was replaced meanwhile.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn change_password(
        &mut self,
        permit: &Permit<ChangePassword>,
        old: &str,
        new: &str,
    ) -> Result<bool, StoreError> {
        self.replace_password(permit.target_id(), old, new).await
    }

    async fn replace_password(&mut self, account: Id<Account>, old: &str, new: &str) -> Result<bool, StoreError> {
        let row = a::ActiveModel { password: Set(new.to_owned()), ..Default::default() };
        let theirs = a::Entity::update_many().set(row).filter(a::Column::Id.eq(account.uuid()));
        Ok(theirs.filter(a::Column::Password.eq(old)).exec(&self.read.tx).await?.rows_affected == 1)
    }

    /// Changes what an account is called.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn rename_account(&mut self, permit: &Permit<UpdateAccount>, name: &Name) -> Result<(), StoreError> {
        let row = entity::accounts::ActiveModel {
            id: Set(permit.target_id().uuid()),
            name: Set(name.to_string()),
            ..Default::default()
        };
        a::Entity::update(row).exec(self.read.by(permit)?).await?;
        Ok(())
    }
}
