//! The cookie that carries a browser session's token.

use actix_web::{HttpResponse, cookie::time::Duration};
use gatewarden_control::sessions::SignedIn;

use super::{Stranger, notice, visitor::SESSION_COOKIE};

/// Gives the browser its session, for as long as that can live.
pub(crate) fn keep(door: &Stranger, response: &mut HttpResponse, signed_in: &SignedIn) {
    let lasts = signed_in.expires.seconds() - door.site.app.clock.now().seconds();
    let token = signed_in.token.expose().clone();
    notice::set(response, &notice::cookie(SESSION_COOKIE, token, Duration::seconds(lasts.max(0))));
}

/// Takes the session from the browser.
pub(crate) fn forget(response: &mut HttpResponse) {
    notice::set(response, &notice::cookie(SESSION_COOKIE, String::new(), Duration::ZERO));
}
