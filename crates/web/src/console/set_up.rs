//! The first start: whoever came by the printed address becomes the first owner.

use actix_web::{http::StatusCode, web};
use gatewarden_control::{
    Error, FieldError,
    organizations::{Created, Person},
    sessions::SignedIn,
    set_up::{self, SetUp},
};
use serde::Deserialize;

use super::organizations::{field, first_call, word};
use crate::{
    http::{Answer, Fault, Stranger, session},
    views::sign_in as view,
};

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    code: String,
}

/// The form; where somebody has set up already, signing in.
pub async fn show(door: Stranger) -> Answer {
    let Asked { code } = door.query()?;
    if !set_up::waits(&door.site.app, door.request).await? {
        return door.go("/sign-in");
    }
    door.page(&view::SetUp { frame: door.bare(), code, ..view::SetUp::default() })
}

#[derive(Deserialize)]
struct SetUpForm {
    code: String,
    name: String,
    email: String,
    password: String,
    organization: String,
    slug: String,
}

/// The owner and the organization, whose master key is shown this once.
pub async fn set_up(door: Stranger, body: web::Bytes) -> Answer {
    let form: SetUpForm = door.form(&body)?;
    let made = match form.command(&door) {
        Ok(command) => set_up::set_up(&door.site.app, door.request, command).await,
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match made {
        Ok(made) => done(&door, form, made),
        Err(error) => form.again(&door, error),
    }
}

fn done(door: &Stranger, form: SetUpForm, (created, signed_in): (Created, SignedIn)) -> Answer {
    let master_key = created.master_key.expose().clone();
    let curl = first_call(&door.site.gateway_url, &master_key);
    let (organization, slug) = (form.organization, form.slug);
    let page = view::SetUpDone { frame: door.bare(), organization, slug, master_key, curl };
    let mut response = door.page(&page)?;
    session::keep(door, &mut response, &signed_in);
    Ok(response)
}

impl SetUpForm {
    fn command(&self, door: &Stranger) -> Result<SetUp, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let name = word(&mut wrong, "name", &self.name);
        let email = word(&mut wrong, "email", &self.email);
        let password = word(&mut wrong, "password", &self.password);
        let organization = word(&mut wrong, "organization", &self.organization);
        let slug = word(&mut wrong, "slug", &self.slug);
        match (name.zip(email), password, organization.zip(slug)) {
            (Some((name, email)), Some(password), Some((organization, slug))) => Ok(SetUp {
                code: self.code.clone(),
                owner: Person { name, email },
                password,
                organization,
                slug,
                browser: door.browser(),
            }),
            _ => Err(wrong),
        }
    }

    /// The form as it was typed, with what is wrong; the password is never sent back.
    fn again(self, door: &Stranger, error: Error) -> Answer {
        let (status, wrong, error) = match Fault::from(error) {
            Fault::Invalid(wrong) => (StatusCode::UNPROCESSABLE_ENTITY, wrong, String::new()),
            fault @ (Fault::Forbidden { .. } | Fault::Conflict(_)) => (fault.status(), Vec::new(), fault.to_string()),
            other => return Err(other),
        };
        let field = |name: &str, typed: &str| field(&wrong, name, typed);
        let page = view::SetUp {
            frame: door.bare(),
            error,
            name: field("name", &self.name),
            email: field("email", &self.email),
            password_error: field("password", "").error,
            organization: field("organization", &self.organization),
            slug: field("slug", &self.slug),
            code: self.code,
        };
        door.page_with(status, &page)
    }
}
