//! Notices that survive a redirect: in a signed cookie, shown once.

use actix_web::{
    HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::Stranger;
use crate::{Site, views};

const COOKIE: &str = "__Host-notice";

#[derive(Serialize, Deserialize)]
struct Kept {
    text: String,
    bad: bool,
    undo: Option<(String, Vec<(String, String)>)>,
}

impl Stranger {
    /// What just happened, where the last answer left a notice.
    pub(crate) fn notice(&self) -> Option<views::Notice> {
        let cookie = self.http.cookie(COOKIE)?;
        let (body, signature) = cookie.value().split_once('.')?;
        let (body, signature) = (URL_SAFE_NO_PAD.decode(body).ok()?, URL_SAFE_NO_PAD.decode(signature).ok()?);
        if !self.site.cookies.verify("notice", &body, &signature) {
            return None;
        }
        let kept: Kept = serde_json::from_slice(&body).ok()?;
        let undo = kept.undo.map(|(action, fields)| views::Undo { action, fields, target: String::new() });
        let tone = if kept.bad { views::Tone::Bad } else { views::Tone::Good };
        Some(views::Notice { tone, text: kept.text, undo })
    }
}

/// Leaves a notice for the next page.
pub(crate) fn leave(site: &Site, response: &mut HttpResponse, notice: &views::Notice) {
    let undo = notice.undo.as_ref().map(|undo| (undo.action.clone(), undo.fields.clone()));
    let kept = Kept { text: notice.text.clone(), bad: notice.tone == views::Tone::Bad, undo };
    let Ok(body) = serde_json::to_vec(&kept) else { return };
    let signature = URL_SAFE_NO_PAD.encode(site.cookies.sign("notice", &body));
    set(response, &cookie(COOKIE, format!("{}.{signature}", URL_SAFE_NO_PAD.encode(&body)), Duration::minutes(1)));
}

/// Takes the notice away once it was drawn.
pub(crate) fn clear(response: &mut HttpResponse) {
    set(response, &cookie(COOKIE, String::new(), Duration::ZERO));
}

/// A cookie as the console sets them: this host alone, by TLS (or loopback) alone, and no script reads it.
pub(crate) fn cookie(name: &'static str, value: String, lasts: Duration) -> Cookie<'static> {
    Cookie::build(name, value).path("/").secure(true).http_only(true).same_site(SameSite::Lax).max_age(lasts).finish()
}

/// Adds a cookie. One that cannot be written as a header is left out.
pub(crate) fn set(response: &mut HttpResponse, cookie: &Cookie<'_>) {
    if let Err(bad) = response.add_cookie(cookie) {
        tracing::error!(error = %bad, "a cookie could not be set");
    }
}
