//! The viewer's own account: what they are called, and where they are signed in.

use actix_web::{http::StatusCode, web};
use gatewarden_control::{
    Error,
    account::{self, NewPassword},
    sessions::{self, OwnSession, SignedIn},
};
use gatewarden_types::{Name, Timestamp};
use serde::Deserialize;

use super::organizations::{field, word};
use crate::{
    http::{Answer, Fault, Visitor, now_true, session},
    views::{Field, Place, account as view},
    wording::{browser, counted, relative},
};

/// The page.
pub async fn show(visitor: Visitor) -> Answer {
    let row = account::read(&visitor.site.app, &visitor.caller).await?;
    let name = Field::of(row.person.name.as_str());
    visitor.page(&view::Account { name, ..page(&visitor).await? })
}

#[derive(Deserialize)]
struct NameForm {
    name: String,
}

/// Another name.
pub async fn rename(visitor: Visitor, body: web::Bytes) -> Answer {
    let form: NameForm = visitor.form(&body)?;
    match form.name.parse::<Name>() {
        Ok(name) => {
            account::rename(&visitor.site.app, &visitor.caller, name).await?;
            visitor.done("/account", &now_true("Your name is saved."))
        }
        Err(bad) => {
            let name = Field::of(form.name).wrong(bad.to_string());
            let page = view::Account { name, ..page(&visitor).await? };
            visitor.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

#[derive(Deserialize)]
struct PasswordForm {
    current: String,
    password: String,
}

/// Another password; every other browser is signed out.
pub async fn change_password(visitor: Visitor, body: web::Bytes) -> Answer {
    let form: PasswordForm = visitor.form(&body)?;
    match form.change(&visitor).await.map_err(Fault::from) {
        Ok((signed_in, ended)) => {
            let text = match ended {
                0 => "Your password is changed.".to_owned(),
                ended => format!("Your password is changed. {}", signed_out(ended)),
            };
            let mut response = visitor.done("/account", &now_true(text))?;
            session::keep(&visitor, &mut response, &signed_in);
            Ok(response)
        }
        Err(Fault::Invalid(wrong)) => {
            let row = account::read(&visitor.site.app, &visitor.caller).await?;
            let error = |name: &str| field(&wrong, name, "").error;
            let page = view::Account {
                name: Field::of(row.person.name.as_str()),
                current_error: error("current"),
                password_error: error("password"),
                ..page(&visitor).await?
            };
            visitor.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other),
    }
}

impl PasswordForm {
    async fn change(self, visitor: &Visitor) -> Result<(SignedIn, u64), Error> {
        let mut wrong = Vec::new();
        let new = word(&mut wrong, "password", &self.password).ok_or(Error::Invalid(wrong))?;
        let command = NewPassword { current: self.current.into(), new, browser: visitor.browser() };
        account::change_password(&visitor.site.app, &visitor.caller, command).await
    }
}

#[derive(Deserialize)]
struct Nothing {}

/// One session less.
pub async fn revoke(visitor: Visitor, body: web::Bytes) -> Answer {
    let Nothing {} = visitor.form(&body)?;
    sessions::revoke(&visitor.site.app, &visitor.caller, visitor.id("session")?).await?;
    visitor.done("/account", &now_true("That browser is signed out."))
}

/// This session alone.
pub async fn revoke_others(visitor: Visitor, body: web::Bytes) -> Answer {
    let Nothing {} = visitor.form(&body)?;
    let ended = sessions::revoke_others(&visitor.site.app, &visitor.caller).await?;
    let text = match ended {
        0 => "You are signed in nowhere else.".to_owned(),
        ended => signed_out(ended),
    };
    visitor.done("/account", &now_true(text))
}

fn signed_out(ended: u64) -> String {
    format!("{} signed out.", counted(ended, "other browser is", "other browsers are"))
}

async fn page(visitor: &Visitor) -> Result<view::Account, Fault> {
    let now = visitor.site.app.clock.now();
    let own = sessions::list(&visitor.site.app, &visitor.caller).await?;
    let sessions = own.iter().map(|own| drawn(own, now)).collect();
    Ok(view::Account { shell: visitor.shell(Place::Account).await?, sessions, ..view::Account::default() })
}

fn drawn(own: &OwnSession, now: Timestamp) -> view::Session {
    view::Session {
        id: own.row.id.to_string(),
        device: browser(&own.row.device),
        network: own.row.network.clone(),
        last_seen: relative(own.row.seen, now),
        since: relative(own.row.created, now),
        current: own.current,
    }
}
