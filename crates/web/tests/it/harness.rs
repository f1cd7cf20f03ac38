//! A site over a world, and people with browsers and keys.

use actix_web::{
    dev::{Service, ServiceResponse},
    http::{Method, StatusCode, header},
    test::{TestRequest, init_service, read_body},
};
use std::time::Duration;

use gatewarden_credentials::{RootKey, Token};
use gatewarden_store::SessionRow;
use gatewarden_testkit::{Someone, World};
use gatewarden_types::{Entropy, Id, Session};
use gatewarden_web::{Parts, SESSION_COOKIE, Site};
use serde_json::Value;

/// A browser that is signed in: the cookie, and the session its forms belong to.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The value of the session cookie.
    pub cookie: String,
    /// The session.
    pub session: Id<Session>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: String,
}

impl Reply {
    /// A problem's status, its word, and the fields it names.
    pub fn problem(&self) -> (u16, String, Vec<String>) {
        let problem = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{problem}");
        let named = problem["errors"].as_array().into_iter().flatten();
        let named = named.map(|error| error["field"].as_str().unwrap().to_owned()).collect();
        (self.status.as_u16(), problem["code"].as_str().unwrap().to_owned(), named)
    }

    /// A header as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status as a number.
    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    /// Where it leads on to.
    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The cookies it sets, whole.
    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").filter_map(|value| value.to_str().ok()).collect()
    }

    /// Whether its body has a part.
    pub fn says(&self, part: &str) -> bool {
        self.body.contains(part)
    }

    /// What stands in its body between two texts, first place first.
    pub fn between(&self, before: &str, after: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(before)?;
        rest.split_once(after).map(|(found, _)| found)
    }

    /// Its body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|bad| panic!("{bad}: {}", self.body))
    }

    /// All that two answers could be told apart by: status, headers and body, without the request's own id.
    pub fn told(&self) -> (StatusCode, Vec<(String, String)>, String) {
        let id = self.header("x-request-id");
        let text = |value: &header::HeaderValue| value.to_str().unwrap_or_default().replace(id, "");
        let mut headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        headers.sort();
        (self.status, headers, self.body.replace(id, ""))
    }
}

/// The site over a world.
pub fn site(world: &World) -> Site {
    let root = RootKey::generate(&Entropy::new(|bytes| bytes.fill(7)));
    Site::new(Parts {
        app: world.app().clone(),
        cookies: root.cookies(),
        public_url: "http://localhost:8080".to_owned(),
        gateway_url: "http://localhost:8081".to_owned(),
        trusted_proxies: Vec::new(),
        arrival: Duration::from_millis(200),
        development: true,
    })
}

/// A browser of someone's, as a sign-in leaves it.
pub async fn browser(world: &World, someone: &Someone) -> Browser {
    let app = world.app();
    let (token, now) = (Token::generate(&app.entropy), app.clock.now());
    let session = SessionRow {
        id: app.id(),
        account: someone.account,
        created: now,
        seen: now,
        expires: now.plus_seconds(86_400),
        device: "A browser".to_owned(),
        network: "127.0.0.1".to_owned(),
    };
    let mut tx = app.store.change_control(&world.anonymous()).await.unwrap();
    let permit = tx.permit(someone.account).unwrap();
    tx.begin_session(&permit, &session, token.digest()).await.unwrap();
    tx.commit(permit).await.unwrap();
    Browser { cookie: token.text().expose().clone(), session: session.id }
}

/// The token that the forms of a browser carry.
pub fn form_token(site: &Site, browser: &Browser) -> String {
    use base64::Engine;
    let signature = site.cookies.sign("csrf", browser.session.uuid().as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(signature)
}

/// Who asks: nobody, a browser, or a program with a key.
#[derive(Debug, Clone)]
pub enum Asker {
    Nobody,
    Browser(Browser),
    Key(String),
}

/// One request, ready to be sent.
pub fn request(asker: &Asker, method: Method, path: &str, body: Option<(&str, String)>) -> TestRequest {
    let mut request = TestRequest::default().method(method).uri(path);
    match asker {
        Asker::Nobody => {}
        Asker::Browser(browser) => {
            request = request.insert_header(("cookie", format!("{SESSION_COOKIE}={}", browser.cookie)));
        }
        Asker::Key(text) => request = request.insert_header(("authorization", format!("Bearer {text}"))),
    }
    match body {
        Some((media, body)) => request.insert_header(("content-type", media.to_owned())).set_payload(body),
        None => request,
    }
}

/// Sends requests to a site.
pub struct Door<S>(S);

/// Opens a site's door.
pub async fn door(
    site: &Site,
) -> Door<
    impl Service<
        actix_http::Request,
        Response = ServiceResponse<impl actix_web::body::MessageBody + use<>>,
        Error = actix_web::Error,
    > + use<>,
> {
    Door(init_service(gatewarden_web::app(site.clone(), &gatewarden_web::routes())).await)
}

impl<S, B> Door<S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: actix_web::body::MessageBody,
{
    /// Asks for something.
    pub async fn ask(&self, asker: &Asker, method: Method, path: &str, body: Option<(&str, String)>) -> Reply {
        self.send(request(asker, method, path, body)).await
    }

    /// Sends any request.
    pub async fn send(&self, request: TestRequest) -> Reply {
        let response = self.0.call(request.to_request()).await.unwrap_or_else(|error| panic!("it fails: {error}"));
        let (status, headers) = (response.status(), response.headers().clone());
        let body = String::from_utf8_lossy(&read_body(response).await).into_owned();
        Reply { status, headers, body }
    }

    /// Opens a page.
    pub async fn get(&self, asker: &Asker, path: &str) -> Reply {
        self.ask(asker, Method::GET, path, None).await
    }

    /// Sends JSON, or nothing where that is null.
    pub async fn api(&self, key: &str, method: Method, path: &str, body: Value) -> Reply {
        let body = (!body.is_null()).then(|| ("application/json", body.to_string()));
        self.ask(&Asker::Key(key.to_owned()), method, &format!("/api/v1{path}"), body).await
    }

    /// Sends JSON with one more header.
    pub async fn api_with(&self, header: (&str, &str), key: &str, method: Method, path: &str, body: Value) -> Reply {
        let body = (!body.is_null()).then(|| ("application/json", body.to_string()));
        let request = request(&Asker::Key(key.to_owned()), method, &format!("/api/v1{path}"), body);
        self.send(request.insert_header((header.0.to_owned(), header.1.to_owned()))).await
    }
}
