//! An invite, for whoever was sent its link. Looking at it consumes nothing.

use actix_web::{http::StatusCode, web};
use gatewarden_control::{
    Error, FieldError, account,
    invites::{self, AcceptNew, Accepted, Invitation},
};
use serde::Deserialize;

use super::organizations::{field, word};
use crate::{
    http::{Answer, Fault, Stranger, Visitor, now_true, session},
    views::{
        Bare,
        sign_in::{self as view, InviteAsks},
    },
    wording::relative,
};

/// What is offered, and what accepting it takes.
pub async fn show(door: Stranger, visitor: Option<Visitor>) -> Answer {
    match page(&door, visitor.as_ref()).await {
        Ok(page) => door.page(&page),
        Err(error) => unusable(&door, error),
    }
}

#[derive(Deserialize)]
struct NewAccount {
    name: Option<String>,
    password: Option<String>,
}

/// Joins: with a new account where name and password are given, else with the one that is signed in.
pub async fn accept(door: Stranger, visitor: Option<Visitor>, body: web::Bytes) -> Answer {
    let form: NewAccount = door.form(&body)?;
    match (form.name, form.password, visitor) {
        (Some(name), Some(password), _) => accept_new(&door, &name, &password).await,
        (_, _, Some(visitor)) => accept_signed_in(&visitor, &body).await,
        _ => Err(Fault::Unauthenticated),
    }
}

async fn accept_signed_in(visitor: &Visitor, body: &[u8]) -> Answer {
    visitor.form::<NewAccount>(body)?;
    match invites::accept(&visitor.site.app, &visitor.caller, visitor.part("token")).await {
        Ok(accepted) => welcome(visitor, &accepted),
        Err(error) => unusable(visitor, error),
    }
}

async fn accept_new(door: &Stranger, name: &str, password: &str) -> Answer {
    let mut wrong = Vec::new();
    let words = word(&mut wrong, "name", name).zip(word(&mut wrong, "password", password));
    let Some((the_name, the_password)) = words else { return again(door, name, &wrong).await };
    let token = door.part("token").to_owned();
    let command = AcceptNew { token, name: the_name, password: the_password, browser: door.browser() };
    match invites::accept_new(&door.site.app, door.request, command).await {
        Ok((accepted, signed_in)) => {
            let mut response = welcome(door, &accepted)?;
            session::keep(door, &mut response, &signed_in);
            Ok(response)
        }
        Err(error) => unusable(door, error),
    }
}

fn welcome(door: &Stranger, accepted: &Accepted) -> Answer {
    door.done(&format!("/o/{}", accepted.slug), &now_true("You are a member now."))
}

/// The form as it was typed, with what is wrong; the password is never sent back.
async fn again(door: &Stranger, name: &str, wrong: &[FieldError]) -> Answer {
    match page(door, None).await {
        Ok(mut page) => {
            page.name = field(wrong, "name", name);
            page.password_error = field(wrong, "password", "").error;
            door.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => unusable(door, error),
    }
}

/// Every link that leads nowhere is answered alike.
fn unusable(door: &Stranger, error: Error) -> Answer {
    match error {
        Error::NotRecognized(_) => {
            let page = view::Invite { frame: door.bare(), asks: InviteAsks::Gone, ..view::Invite::default() };
            door.page_with(StatusCode::NOT_FOUND, &page)
        }
        other => Err(other.into()),
    }
}

async fn page(door: &Stranger, visitor: Option<&Visitor>) -> Result<view::Invite, Error> {
    let token = door.part("token").to_owned();
    let invitation = invites::look(&door.site.app, door.request, &token).await?;
    let is_theirs = match visitor {
        Some(visitor) => account::read(&door.site.app, &visitor.caller).await?.person.email == invitation.email,
        None => false,
    };
    let asks = match (invitation.has_account, is_theirs) {
        (false, _) => InviteAsks::NewAccount,
        (true, true) => InviteAsks::Nothing,
        (true, false) => InviteAsks::SignIn,
    };
    let csrf = visitor.map(Visitor::csrf).unwrap_or_default();
    Ok(drawn(door, token, &invitation, Bare { csrf, ..door.bare() }, asks))
}

fn drawn(door: &Stranger, token: String, invitation: &Invitation, frame: Bare, asks: InviteAsks) -> view::Invite {
    let invited_by = invitation.invited_by.as_ref().unwrap_or(&invitation.name);
    view::Invite {
        frame,
        token,
        organization: invitation.name.to_string(),
        role: invitation.role.to_string(),
        invited_by: invited_by.to_string(),
        email: invitation.email.to_string(),
        ends: relative(invitation.expires, door.site.app.clock.now()),
        asks,
        ..view::Invite::default()
    }
}
