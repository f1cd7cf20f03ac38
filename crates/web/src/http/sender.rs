//! Who asks with an API key, and what they sent.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, dev::Payload, http::StatusCode, web};
use gatewarden_control::{Caller, Once, authenticate};
use gatewarden_types::{Digest, Id, Kind, Organization, Request, Seq};
use serde::{Serialize, de::DeserializeOwned};

use super::{Answer, Fault};
use crate::Site;

/// Someone with an API key, in the key's organization.
#[derive(Clone)]
pub struct KeyHolder {
    /// The site.
    pub site: Site,
    /// Who acts.
    pub caller: Caller,
    /// Where.
    pub organization: Id<Organization>,
    http: HttpRequest,
}

impl KeyHolder {
    async fn authenticate(http: HttpRequest) -> Result<Self, Fault> {
        let site = http.app_data::<web::Data<Site>>().map(|site| site.get_ref().clone());
        let site = site.ok_or(Fault::Failed { message: "The program is not set up.", status: 500 })?;
        let known = http.extensions().get::<Id<Request>>().copied();
        let request = known.unwrap_or_else(|| site.request_id());
        let key = bearer(&http).ok_or(Fault::Unauthenticated)?;
        let found = authenticate::key_holder(&site.app, key, request).await?;
        let (caller, organization) = found.ok_or(Fault::Unauthenticated)?;
        Ok(Self { site, caller, organization, http })
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

    /// The JSON that was sent.
    ///
    /// # Errors
    /// When it is sent as something else, or is not JSON of this form; the text says where.
    pub fn json<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Fault> {
        let sent_as = self.http.headers().get("content-type").map(|media| media.to_str().unwrap_or_default());
        let media = sent_as.map(|media| media.split(';').next().unwrap_or_default().trim());
        if media.is_some_and(|media| !media.eq_ignore_ascii_case("application/json")) {
            return Err(Fault::Media);
        }
        serde_json::from_slice(body).map_err(|bad| Fault::Malformed(format!("The JSON cannot be taken: {bad}.")))
    }

    /// The query parameters.
    ///
    /// # Errors
    /// When one cannot be taken.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_urlencoded::from_str(self.http.query_string())
            .map_err(|bad| Fault::Malformed(format!("The query cannot be taken: {bad}.")))
    }

    /// The version that the sender saw, from `If-Match: "17"`; none where they do not say.
    ///
    /// # Errors
    /// When the header is not of that form.
    pub fn seen(&self) -> Result<Option<Seq>, Fault> {
        let Some(header) = self.http.headers().get("if-match") else { return Ok(None) };
        let text = header.to_str().unwrap_or_default();
        if text == "*" {
            return Ok(None);
        }
        let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| Fault::Malformed("If-Match takes a version in quotes, such as \"17\".".into()))
    }

    /// What a create that is sent twice is known by.
    ///
    /// # Errors
    /// When the `Idempotency-Key` is empty, longer than 255 characters or not plain text.
    pub fn repeat(&self, body: &[u8]) -> Result<Option<Once>, Fault> {
        let Some(header) = self.http.headers().get("idempotency-key") else { return Ok(None) };
        let word = header.to_str().unwrap_or_default();
        if word.is_empty() || word.len() > 255 {
            return Err(Fault::Malformed("An Idempotency-Key has 1 to 255 visible characters.".to_owned()));
        }
        Ok(Some(Once { word: word.to_owned(), request: said(&self.http, body).0 }))
    }

    /// Answers with JSON; `version` becomes the `ETag` that an `If-Match` takes.
    ///
    /// # Errors
    /// When the status is none.
    pub fn answer(&self, status: u16, version: Option<Seq>, body: &impl Serialize) -> Answer {
        let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::OK));
        if let Some(version) = version {
            response.insert_header(("etag", format!("\"{version}\"")));
        }
        Ok(response.json(body))
    }

    /// Answers that it is done.
    ///
    /// # Errors
    /// Never; so that handlers end with it.
    pub fn done(&self) -> Answer {
        Ok(HttpResponse::NoContent().finish())
    }
}

/// What is sent as `Authorization: Bearer …`.
pub(crate) fn bearer(http: &HttpRequest) -> Option<&[u8]> {
    http.headers().get("authorization")?.as_bytes().strip_prefix(b"Bearer ")
}

/// The digest of everything that a request says.
pub(super) fn said(http: &HttpRequest, body: &[u8]) -> Digest {
    let mut said = format!("{} {}\n", http.method(), http.path()).into_bytes();
    said.extend_from_slice(body);
    gatewarden_credentials::digest(&said)
}

impl FromRequest for KeyHolder {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Fault>>>>;

    fn from_request(http: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        Box::pin(Self::authenticate(http.clone()))
    }
}
