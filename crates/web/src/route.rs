//! What a route is: a row that names its action, its scope and what it leaves in the trail. No path is written twice.

use actix_web::{Handler, Responder, http::Method, web};
use gatewarden_access::{Action, ActionInfo, AuditClass};
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Whose things a route is about, and so how its caller is made out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// An organization, named in the path; a member's browser session.
    Organization,
    /// The organization of the API key that is sent.
    Key,
    /// The account that is signed in.
    Account,
    /// Nobody's: open to anyone, for the reason given.
    Open(&'static str),
}

/// A row of the route table.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with names in braces.
    pub path: &'static str,
    /// The action that its use case asks for; none only where it is open to anyone.
    pub action: Option<&'static ActionInfo>,
    /// Whose things it is about.
    pub scope: Scope,
    /// What the JSON API's description says of it.
    pub operation: Option<Operation>,
    register: Box<dyn Fn() -> actix_web::Route + Send + Sync>,
}

/// What the description of the JSON API says of a route.
#[derive(Default)]
pub struct Operation {
    /// What it does, in a few words.
    pub summary: &'static str,
    /// The status of success.
    pub success: u16,
    /// What it takes as JSON.
    pub takes: Option<SchemaOf>,
    /// What it answers as JSON.
    pub answers: Option<SchemaOf>,
    /// The media types it answers with where that is not JSON.
    pub answers_text: &'static [&'static str],
    /// Its query parameters: name and meaning.
    pub query: &'static [(&'static str, &'static str)],
    /// Whether it takes an `Idempotency-Key`.
    pub idempotent: bool,
    /// Whether it takes an `If-Match`.
    pub if_match: bool,
}

/// Makes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

impl Route {
    /// A page or an act of the console in an organization.
    pub fn organization<A: Action, Args>(
        method: Method,
        path: &'static str,
        handler: impl Handler<Args, Output: Responder + 'static> + Send + Sync,
    ) -> Self
    where
        Args: actix_web::FromRequest + 'static,
    {
        Self::new(method, path, Some(A::INFO), Scope::Organization, handler)
    }

    /// A page or an act of the console about one's own account.
    pub fn account<A: Action, Args>(
        method: Method,
        path: &'static str,
        handler: impl Handler<Args, Output: Responder + 'static> + Send + Sync,
    ) -> Self
    where
        Args: actix_web::FromRequest + 'static,
    {
        Self::new(method, path, Some(A::INFO), Scope::Account, handler)
    }

    /// An operation of the JSON API.
    pub fn api<A: Action, Args>(
        method: Method,
        path: &'static str,
        operation: Operation,
        handler: impl Handler<Args, Output: Responder + 'static> + Send + Sync,
    ) -> Self
    where
        Args: actix_web::FromRequest + 'static,
    {
        Self { operation: Some(operation), ..Self::new(method, path, Some(A::INFO), Scope::Key, handler) }
    }

    /// A route that anyone may ask, for the reason given.
    pub fn open<Args>(
        method: Method,
        path: &'static str,
        why: &'static str,
        handler: impl Handler<Args, Output: Responder + 'static> + Send + Sync,
    ) -> Self
    where
        Args: actix_web::FromRequest + 'static,
    {
        Self::new(method, path, None, Scope::Open(why), handler)
    }

    fn new<Args>(
        method: Method,
        path: &'static str,
        action: Option<&'static ActionInfo>,
        scope: Scope,
        handler: impl Handler<Args, Output: Responder + 'static> + Send + Sync,
    ) -> Self
    where
        Args: actix_web::FromRequest + 'static,
    {
        let by = method.clone();
        let register = Box::new(move || web::method(by.clone()).to(handler.clone()));
        Self { method, path, action, scope, operation: None, register }
    }

    /// What it leaves in the trail.
    pub fn audit(&self) -> Option<AuditClass> {
        self.action.map(|action| action.audit)
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Operation {
    /// One that answers `T` with 200.
    pub fn answers<T: JsonSchema>(summary: &'static str) -> Self {
        Self { summary, success: 200, answers: Some(SchemaGenerator::subschema_for::<T>), ..Self::default() }
    }

    /// One that answers a text of one of these media types with 200.
    pub fn answers_text(summary: &'static str, media: &'static [&'static str]) -> Self {
        Self { summary, success: 200, answers_text: media, ..Self::default() }
    }

    /// One that answers nothing with 204.
    pub fn done(summary: &'static str) -> Self {
        Self { summary, success: 204, ..Self::default() }
    }

    /// It makes something: 201, and an `Idempotency-Key` is taken.
    #[must_use]
    pub fn creates(self) -> Self {
        Self { success: 201, idempotent: true, ..self }
    }

    /// It takes a `T`.
    #[must_use]
    pub fn takes<T: JsonSchema>(self) -> Self {
        Self { takes: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }

    /// It takes these query parameters.
    #[must_use]
    pub fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    /// It takes an `If-Match`.
    #[must_use]
    pub fn if_match(self) -> Self {
        Self { if_match: true, ..self }
    }
}

/// Registers a table: one resource for each path, so that another method on it is answered 405.
pub fn register(table: &[Route], config: &mut web::ServiceConfig) {
    let mut paths: Vec<&'static str> = table.iter().map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let routes = || table.iter().filter(|route| route.path == path);
        let resource = routes().fold(web::resource(path), |resource, route| resource.route((route.register)()));
        let allowed: Vec<&str> = routes().map(|route| route.method.as_str()).collect();
        let allowed = allowed.join(", ");
        let other = move || std::future::ready(crate::http::method_not_allowed(allowed.clone()));
        config.service(resource.default_service(web::to(other)));
    }
    config.default_service(web::to(crate::http::not_found));
}
