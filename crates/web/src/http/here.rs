//! Someone who is signed in, in one organization.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use gatewarden_access::{ActionInfo, Facts};
use gatewarden_control::organizations;
use gatewarden_types::{Id, Organization};

use super::{Fault, Visitor};
use crate::views;

/// A visitor and the organization their address names. Where they have no part in it, there is nothing.
#[derive(Clone)]
pub struct Here {
    /// Who asks.
    pub visitor: Visitor,
    /// Where.
    pub organization: Id<Organization>,
    /// Its word in the address.
    pub slug: String,
}

impl std::ops::Deref for Here {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl Here {
    async fn find(http: HttpRequest) -> Result<Self, Fault> {
        let visitor = Visitor::extract(&http).await?;
        let slug = http.match_info().get("organization").unwrap_or_default().to_owned();
        let place = organizations::locate(&visitor.site.app, &slug, visitor.account).await?;
        let organization = place.ok_or(Fault::NotFound)?;
        let here = Self { visitor, organization, slug };
        http.extensions_mut().insert(here.clone());
        Ok(here)
    }

    /// An address in this organization: `here.href("/members")`.
    pub fn href(&self, path: &str) -> String {
        format!("/o/{}{path}", self.slug)
    }

    /// The frame of a page at `place`: what may be opened, and who looks.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn shell(&self, place: views::Place) -> Result<views::Shell, Fault> {
        let frame = organizations::frame(&self.site.app, &self.caller, Some(self.organization)).await?;
        Ok(self.visitor.shell_of(&frame, place))
    }
}

impl Visitor {
    /// The frame of a page about the account.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn shell(&self, place: views::Place) -> Result<views::Shell, Fault> {
        let frame = organizations::frame(&self.site.app, &self.caller, None).await?;
        Ok(self.shell_of(&frame, place))
    }

    fn shell_of(&self, frame: &organizations::Frame, place: views::Place) -> views::Shell {
        let here = frame.here.as_ref().map(|here| here.id);
        let choice = |own: &organizations::Own| views::OrganizationChoice {
            slug: own.slug.to_string(),
            name: own.name.to_string(),
            role: own.role.to_string(),
            current: here == Some(own.id),
        };
        let organization =
            frame.here.as_ref().map(|here| views::Mark { slug: here.slug.to_string(), name: here.name.to_string() });
        let acts = organization.as_ref().map(|mark| acts(frame.facts.as_ref(), &mark.slug)).unwrap_or_default();
        views::Shell {
            organization,
            current: place,
            open: frame.facts.as_ref().map(open_places).unwrap_or_default(),
            acts,
            organizations: frame.own.iter().map(choice).collect(),
            viewer: views::Viewer { name: frame.person.name.to_string(), email: frame.person.email.to_string() },
            csrf: self.csrf(),
            once: self.request.to_string(),
            notice: self.notice(),
            theme: self.theme(),
        }
    }
}

/// Whether the one decision allows an action somewhere, so that a control for it is worth drawing.
pub fn may(facts: &Facts, action: &ActionInfo) -> bool {
    facts.allows(action).is_some()
}

fn info(name: &str) -> Option<&'static ActionInfo> {
    ActionInfo::named(name)
}

fn open_places(facts: &Facts) -> Vec<views::OpenPlace> {
    use views::Place;
    const NEEDS: [(Place, &str); 8] = [
        (Place::Overview, "usage.read"),
        (Place::Keys, "key.list"),
        (Place::Models, "model.list"),
        (Place::Providers, "provider.list"),
        (Place::Gateways, "gateway.list"),
        (Place::Members, "member.list"),
        (Place::Trail, "trail.read"),
        (Place::Settings, "organization.read"),
    ];
    let open = NEEDS.into_iter().filter(|(_, action)| info(action).is_some_and(|info| may(facts, info)));
    open.map(|(place, _)| views::OpenPlace { place, count: None }).collect()
}

fn acts(facts: Option<&Facts>, slug: &str) -> Vec<views::Act> {
    const ACTS: [(&str, &str, &str); 5] = [
        ("invite.create", "Invite people", "/invites/new"),
        ("key.create", "Create an API key", "/keys/new"),
        ("provider.add", "Add a provider", "/providers/new"),
        ("gateway.add", "Add a gateway", "/gateways"),
        ("organization.update", "Rename the organization", "/settings"),
    ];
    let allowed = |action: &str| facts.zip(info(action)).is_some_and(|(facts, info)| may(facts, info));
    let acts = ACTS.into_iter().filter(|(action, ..)| allowed(action));
    acts.map(|(_, label, path)| views::Act { label: label.to_owned(), href: format!("/o/{slug}{path}") }).collect()
}

impl FromRequest for Here {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Fault>>>>;

    fn from_request(http: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        Box::pin(Self::find(http.clone()))
    }
}
