//! Who asks in a browser.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gatewarden_control::{
    Caller, Once,
    sessions::{self, Browser},
};
use gatewarden_types::{Account, Actor, Digest, Id, Kind, Request, Session, Via};

use super::{Fault, forwarded::asking, sender::said};
use crate::{Site, views};

/// The cookie that carries a browser session's token.
pub const SESSION_COOKIE: &str = "__Host-gatewarden";

/// Someone at the door: a browser without a session, or one that need not have one.
#[derive(Clone)]
pub struct Stranger {
    /// The site.
    pub site: Site,
    /// This request.
    pub request: Id<Request>,
    /// The request itself, for its headers.
    pub http: HttpRequest,
}

/// Someone who is signed in.
#[derive(Clone)]
pub struct Visitor {
    /// What every browser brings.
    pub door: Stranger,
    /// Who acts.
    pub caller: Caller,
    /// Their account.
    pub account: Id<Account>,
    /// The session they act in.
    pub session: Id<Session>,
}

impl std::ops::Deref for Visitor {
    type Target = Stranger;

    fn deref(&self) -> &Stranger {
        &self.door
    }
}

impl Stranger {
    /// The door of a request.
    pub(crate) fn of(http: &HttpRequest) -> Result<Self, Fault> {
        let site = http.app_data::<web::Data<Site>>().map(|site| site.get_ref().clone());
        let site = site.ok_or(Fault::Failed { message: "The program is not set up.", status: 500 })?;
        let known = http.extensions().get::<Id<Request>>().copied();
        let request = known.unwrap_or_else(|| site.request_id());
        Ok(Self { site, request, http: http.clone() })
    }

    /// Who acts when nobody is signed in.
    pub fn caller(&self) -> Caller {
        Caller { actor: Actor::Anyone, via: Via::Nothing, request: self.request }
    }

    /// The network address that asks; the one that trusted proxies name, where there are any.
    pub fn network(&self) -> Option<IpAddr> {
        let peer = self.http.peer_addr()?.ip();
        let lines: Vec<&str> =
            self.http.headers().get_all("x-forwarded-for").map(|line| line.to_str().unwrap_or_default()).collect();
        Some(asking(peer, lines.into_iter(), &self.site.trusted_proxies))
    }

    /// What someone signs in with, and from where.
    pub fn browser(&self) -> Browser {
        let agent = self.http.headers().get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
        Browser { device: agent.to_owned(), network: self.network().unwrap_or(Ipv4Addr::UNSPECIFIED.into()) }
    }

    /// The id that stands in the address under `name`. What is no id of this kind names nothing.
    ///
    /// # Errors
    /// When it is no such id.
    pub fn id<K: Kind>(&self, name: &str) -> Result<Id<K>, Fault> {
        self.part(name).parse().map_err(|_| Fault::NotFound)
    }

    /// The text that stands in the address under `name`.
    pub fn part(&self, name: &str) -> &str {
        self.http.match_info().get(name).unwrap_or_default()
    }

    /// The query of the address.
    ///
    /// # Errors
    /// When it is not of this kind.
    pub fn query<T: serde::de::DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_urlencoded::from_str(self.http.query_string())
            .map_err(|bad| Fault::Malformed(format!("The address cannot be read: {bad}.")))
    }

    /// Whether htmx asks, and so wants a part of a page.
    pub fn wants_part(&self) -> bool {
        self.http.headers().contains_key("hx-request") && !self.http.headers().contains_key("hx-boosted")
    }

    /// The colours the viewer chose.
    pub fn theme(&self) -> views::Theme {
        let cookie = self.http.cookie("theme");
        views::Theme::from_cookie(cookie.as_ref().map_or("", |cookie| cookie.value()))
    }

    /// The frame of a page for someone who is not signed in.
    pub fn bare(&self) -> views::Bare {
        views::Bare { csrf: String::new(), notice: self.notice(), theme: self.theme() }
    }

    /// A form as it was sent. Forms of strangers are guarded by where they come from alone.
    ///
    /// # Errors
    /// When it is not a form of this kind.
    pub fn form<T: serde::de::DeserializeOwned>(&self, body: &[u8]) -> Result<T, Fault> {
        serde_urlencoded::from_bytes(body).map_err(|bad| Fault::Malformed(format!("The form cannot be read: {bad}.")))
    }
}

impl Visitor {
    async fn resume(http: HttpRequest) -> Result<Self, Fault> {
        let door = Stranger::of(&http)?;
        let token = http.cookie(SESSION_COOKIE).ok_or(Fault::Unauthenticated)?;
        let resumed = sessions::resume(&door.site.app, token.value(), door.request).await?;
        let resumed = resumed.ok_or(Fault::Unauthenticated)?;
        Ok(Self { door, caller: resumed.caller, account: resumed.account, session: resumed.session.id })
    }

    /// The token that each of their forms carries.
    pub fn csrf(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.site.cookies.sign("csrf", self.session.uuid().as_bytes()))
    }

    /// A form as it was sent, when it carries this session's token.
    ///
    /// # Errors
    /// When the token is missing or another's, or the form is not of this kind.
    pub fn form<T: serde::de::DeserializeOwned>(&self, body: &[u8]) -> Result<T, Fault> {
        #[derive(serde::Deserialize)]
        struct Token {
            #[serde(default)]
            csrf: String,
        }
        let Token { csrf } = self.door.form(body)?;
        let signature = URL_SAFE_NO_PAD.decode(csrf).unwrap_or_default();
        if !self.site.cookies.verify("csrf", self.session.uuid().as_bytes(), &signature) {
            let message = "This form is from an earlier session. Load the page again and repeat it.".to_owned();
            return Err(Fault::Forbidden { message, word: "form_token" });
        }
        self.door.form(body)
    }

    /// What a form that makes something is known by when it is sent twice: the page that it stands on and all that it
    /// says. None where it names no page.
    pub fn repeat(&self, body: &[u8]) -> Option<Once> {
        #[derive(serde::Deserialize)]
        struct Page {
            once: String,
        }
        self.door.form::<Page>(body).ok().filter(|page| !page.once.is_empty())?;
        let Digest(request) = said(&self.http, body);
        Some(Once { word: URL_SAFE_NO_PAD.encode(request), request })
    }
}

impl FromRequest for Stranger {
    type Error = Fault;
    type Future = std::future::Ready<Result<Self, Fault>>;

    fn from_request(http: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(Self::of(http))
    }
}

impl FromRequest for Visitor {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Fault>>>>;

    fn from_request(http: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        Box::pin(Self::resume(http.clone()))
    }
}
