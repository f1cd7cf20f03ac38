//! The viewer's organizations, and making another.

use actix_web::web;
use gatewarden_control::{
    Error, FieldError,
    organizations::{self, CreateOrganization},
};
use gatewarden_types::PerMinute;
use serde::Deserialize;

use crate::{
    http::{Answer, Visitor},
    views::{Field, Place, account, sign_in},
};

/// The start: the only organization there is, or the list of them.
pub async fn start(visitor: Visitor) -> Answer {
    let own = organizations::list_own(&visitor.site.app, &visitor.caller).await?;
    match own.as_slice() {
        [only] => visitor.go(&format!("/o/{}", only.slug)),
        _ => visitor.go("/organizations"),
    }
}

/// The list.
pub async fn list(visitor: Visitor) -> Answer {
    let shell = visitor.shell(Place::Organizations).await?;
    visitor.page(&account::Organizations { shell, can_create: true, ..Default::default() })
}

#[derive(Deserialize)]
struct NewOrganization {
    name: String,
    slug: String,
}

/// Another one, whose master key is shown this once.
pub async fn create(visitor: Visitor, body: web::Bytes) -> Answer {
    let form: NewOrganization = visitor.form(&body)?;
    let shell = visitor.shell(Place::Organizations).await?;
    let made = match command(&form, &shell) {
        Ok(command) => organizations::create(&visitor.site.app, &visitor.caller, command).await,
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match made {
        Ok(created) => {
            let master_key = created.master_key.expose().clone();
            let curl = first_call(&visitor.site.gateway_url, &master_key);
            let (organization, slug) = (form.name, form.slug);
            visitor.page(&sign_in::SetUpDone { frame: visitor.bare(), organization, slug, master_key, curl })
        }
        Err(Error::Invalid(wrong)) => {
            let field = |name: &str, typed: &str| field(&wrong, name, typed);
            let (name, new_slug) = (field("name", &form.name), field("slug", &form.slug));
            let page = account::Organizations { shell, can_create: true, name, new_slug };
            visitor.page_with(actix_web::http::StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other.into()),
    }
}

fn command(form: &NewOrganization, shell: &crate::views::Shell) -> Result<CreateOrganization, Vec<FieldError>> {
    let mut wrong = Vec::new();
    let name = word(&mut wrong, "name", &form.name);
    let slug = word(&mut wrong, "slug", &form.slug);
    let founder_name = word(&mut wrong, "name", &shell.viewer.name);
    let email = word(&mut wrong, "email", &shell.viewer.email);
    match (name, slug, founder_name, email) {
        (Some(name), Some(slug), Some(founder), Some(email)) => {
            Ok(CreateOrganization { name, slug, founder: organizations::Person { name: founder, email } })
        }
        _ => Err(wrong),
    }
}

/// A typed word, or a note of what is wrong with it.
pub(crate) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(
    wrong: &mut Vec<FieldError>,
    field: &'static str,
    typed: &str,
) -> Option<T> {
    typed.parse().map_err(|bad: T::Err| wrong.push(FieldError { field, message: bad.to_string() })).ok()
}

/// The fields of limits.
pub(crate) const REQUESTS: &str = "requests_per_minute";
pub(crate) const TOKENS: &str = "tokens_per_minute";

/// A limit as it was typed: nothing is none, and so is what cannot be read, with a note of it.
pub(crate) fn per_minute(wrong: &mut Vec<FieldError>, name: &'static str, typed: &str) -> Option<PerMinute> {
    if typed.trim().is_empty() { None } else { word(wrong, name, typed) }
}

/// A field as it was typed, with what is wrong with it.
pub(crate) fn field(wrong: &[FieldError], name: &str, typed: &str) -> Field {
    let error = wrong.iter().find(|error| error.field == name).map(|error| error.message.clone());
    Field { value: typed.to_owned(), error: error.unwrap_or_default() }
}

/// A line for a terminal that makes a first call.
pub(crate) fn first_call(gateway: &str, key: &str) -> String {
    format!("curl {gateway}/v1/models -H 'Authorization: Bearer {key}'")
}
