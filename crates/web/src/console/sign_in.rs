//! Signing in and out.

use actix_web::{http::header, web};
use gatewarden_control::{
    Error, sessions,
    sessions::SignedIn,
    sign_in::{self, SignIn},
};
use serde::Deserialize;

use crate::{
    http::{Answer, Fault, SESSION_COOKIE, Stranger, Visitor, now_true, session},
    views::sign_in as view,
};

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
}

/// The form; whoever is signed in goes on.
pub async fn show(door: Stranger, visitor: Option<Visitor>) -> Answer {
    let Asked { next } = door.query()?;
    if visitor.is_some() {
        return door.go(own_path(&next));
    }
    let had_one = door.http.cookie(SESSION_COOKIE).is_some();
    let reason = if had_one { "Your session has ended. Sign in and you go on where you were." } else { "" };
    let next = own_path(&next).to_owned();
    door.page(&view::SignIn { frame: door.bare(), reason: reason.to_owned(), next, ..view::SignIn::default() })
}

#[derive(Deserialize)]
struct SignInForm {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// Begins a session where address and password belong together.
pub async fn sign_in(door: Stranger, body: web::Bytes) -> Answer {
    let form: SignInForm = door.form(&body)?;
    match form.attempt(&door).await {
        Ok(signed_in) => {
            let mut response = door.go(own_path(&form.next))?;
            session::keep(&door, &mut response, &signed_in);
            Ok(response)
        }
        Err(error) => form.again(&door, error.into()),
    }
}

/// Ends the session.
pub async fn sign_out(visitor: Visitor, body: web::Bytes) -> Answer {
    let _: Asked = visitor.form(&body)?;
    sessions::sign_out(&visitor.site.app, &visitor.caller).await?;
    let mut response = visitor.done("/sign-in", &now_true("You are signed out."))?;
    session::forget(&mut response);
    Ok(response)
}

impl SignInForm {
    async fn attempt(&self, door: &Stranger) -> Result<SignedIn, Error> {
        let email = self.email.parse().map_err(|_| sign_in::not_recognized())?;
        let command = SignIn { email, password: self.password.clone().into(), browser: door.browser() };
        sign_in::sign_in(&door.site.app, door.request, command).await
    }

    /// The form again, with the address as it was typed. It says the same whether there is such an account or not.
    fn again(self, door: &Stranger, fault: Fault) -> Answer {
        let error = match &fault {
            Fault::Forbidden { message, .. } => message.clone(),
            Fault::TooMany(seconds) => too_many(*seconds),
            Fault::Busy(_) => fault.to_string(),
            _ => return Err(fault),
        };
        let next = own_path(&self.next).to_owned();
        let page = view::SignIn { frame: door.bare(), email: self.email, error, next, ..view::SignIn::default() };
        let mut response = door.page_with(fault.status(), &page)?;
        if let Some(seconds) = fault.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        Ok(response)
    }
}

fn too_many(seconds: u64) -> String {
    format!(
        "There were too many tries. Wait {seconds} seconds and try again: nobody is locked out. A network from which you \
         have signed in before is not slowed by what others try."
    )
}

/// A path of this site, and the start in the place of anything else: never another host.
pub(crate) fn own_path(next: &str) -> &str {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn next_never_leads_to_another_site() {
        for fine in ["/", "/o/acme/members?q=a%20b&sort=-name", "/invites/abc"] {
            assert_eq!(own_path(fine), fine);
        }
        let bad =
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "evil", "/é", "\\/"];
        for bad in bad {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
    }
}
