//! A browser that keeps its cookies and takes the form token from the pages it opens.

use std::collections::BTreeMap;

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::Method,
    test::TestRequest,
};
use gatewarden_testkit::{PASSWORD, Someone};
use gatewarden_web::SESSION_COOKIE;

use crate::harness::{Door, Reply};

/// A browser at a door.
pub struct Tab<'a, S> {
    door: &'a Door<S>,
    /// Its cookies.
    pub cookies: BTreeMap<String, String>,
    /// The form token of the last page that had one.
    pub csrf: String,
}

impl<'a, S, B> Tab<'a, S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    /// One without any cookie.
    pub fn open(door: &'a Door<S>) -> Self {
        Self { door, cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// One in which someone has just signed in.
    pub async fn signed_in(door: &'a Door<S>, who: &Someone) -> Self {
        let mut tab = Self::open(door);
        let form = [("email", who.person.email.as_str()), ("password", PASSWORD)];
        assert_eq!(tab.post("/sign-in", &form).await.code(), 303);
        assert_eq!(tab.get("/account").await.code(), 200);
        tab
    }

    /// Opens a page, without following where it leads.
    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(TestRequest::get().uri(path)).await
    }

    /// Asks for a part of a page, as htmx does.
    pub async fn part(&mut self, path: &str) -> Reply {
        self.send(TestRequest::get().uri(path).insert_header(("hx-request", "true"))).await
    }

    /// Sends a form with the token of the last page.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = self.csrf.clone();
        self.post_with(path, &csrf, fields).await
    }

    /// Sends a form with any token.
    pub async fn post_with(&mut self, path: &str, csrf: &str, fields: &[(&str, &str)]) -> Reply {
        let request = form(path, csrf, fields).insert_header(("sec-fetch-site", "same-origin"));
        self.send(request).await
    }

    /// Sends any request with this browser's cookies, and keeps the cookies and the form token of the answer.
    pub async fn send(&mut self, request: TestRequest) -> Reply {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let reply = self.door.send(request.insert_header(("cookie", cookies.join("; ")))).await;
        for cookie in reply.cookies() {
            let (name, rest) = cookie.split_once('=').expect("a cookie has a value");
            match rest.split(';').next().unwrap_or_default() {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        if let Some(token) = reply.between("name=\"csrf\" value=\"", "\"") {
            token.clone_into(&mut self.csrf);
        }
        reply
    }

    /// Whether a session is kept.
    pub fn has_session(&self) -> bool {
        self.cookies.contains_key(SESSION_COOKIE)
    }
}

/// A form with any token, to be sent with any headers.
pub fn form(path: &str, csrf: &str, fields: &[(&str, &str)]) -> TestRequest {
    let mut all = vec![("csrf", csrf)];
    all.extend_from_slice(fields);
    let body = serde_urlencoded::to_string(all).expect("text is a form");
    let request = TestRequest::default().method(Method::POST).uri(path);
    request.insert_header(("content-type", "application/x-www-form-urlencoded")).set_payload(body)
}
