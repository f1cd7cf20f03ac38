//! The viewer's own account: what they are called, and where they are signed in.

use actix_web::{http::StatusCode, web};
use gatewarden_control::{
    account,
    sessions::{self, OwnSession},
};
use gatewarden_types::{Name, Timestamp};
use serde::Deserialize;

use crate::{
    http::{Answer, Fault, Visitor, now_true},
    views::{Field, Place, account as view},
    wording::{browser, counted, relative},
};

/// The page.
pub async fn show(visitor: Visitor) -> Answer {
    let row = account::read(&visitor.site.app, &visitor.caller).await?;
    visitor.page(&page(&visitor, Field::of(row.person.name.as_str())).await?)
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
            visitor.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page(&visitor, name).await?)
        }
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
        ended => format!("{} signed out.", counted(ended, "other browser is", "other browsers are")),
    };
    visitor.done("/account", &now_true(text))
}

async fn page(visitor: &Visitor, name: Field) -> Result<view::Account, Fault> {
    let now = visitor.site.app.clock.now();
    let own = sessions::list(&visitor.site.app, &visitor.caller).await?;
    let sessions = own.iter().map(|own| drawn(own, now)).collect();
    Ok(view::Account { shell: visitor.shell(Place::Account).await?, name, sessions })
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
