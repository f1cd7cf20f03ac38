//! What stands around every request: an id, the headers that browsers obey, and the drawing of faults.

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, Method, StatusCode, header},
    middleware::Next,
    web,
};
use askama::Template;
use gatewarden_types::{Id, Request};
use serde_json::json;

use super::{Fault, Here, Stranger, answer::html};
use crate::{Site, views};

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                   connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Gives the request its id, sets the headers, and draws what went wrong.
pub(crate) async fn frame(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let site = request.app_data::<web::Data<Site>>().map(|site| site.get_ref().clone());
    let id: Option<Id<Request>> = site.as_ref().map(Site::request_id);
    if let Some(id) = id {
        request.extensions_mut().insert(id);
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    let fault = response.response().extensions().get::<Fault>().cloned();
    if let Some(fault) = fault.or_else(|| unread(response.response())) {
        let mut drawn = draw(response.request(), &fault, id).await;
        if let Fault::Method { allowed } = &fault
            && let Ok(allowed) = header::HeaderValue::from_str(allowed)
        {
            drawn.headers_mut().insert(header::ALLOW, allowed);
        }
        if matches!(fault, Fault::TooSlow(_)) {
            // The rest of the body may still come, and is no next request.
            drawn.head_mut().set_connection_type(ConnectionType::Close);
        }
        if let Some(seconds) = fault.retry_after() {
            drawn.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response = response.into_response(drawn);
    }
    let secure = site.is_some_and(|site| site.is_secure());
    set_headers(&mut response, id, secure);
    Ok(response)
}

/// Faults of extractors that are not ours: an oversize or unreadable body.
fn unread(response: &HttpResponse) -> Option<Fault> {
    let error = response.error()?;
    if error.as_error::<Fault>().is_some() {
        return None;
    }
    match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Some(Fault::TooLarge),
        status if status.is_client_error() => Some(Fault::Malformed("The request cannot be read.".to_owned())),
        _ => Some(Fault::Failed { message: "The program could not do this.", status: 500 }),
    }
}

fn set_headers(response: &mut ServiceResponse, id: Option<Id<Request>>, secure: bool) {
    let path = response.request().path();
    let lasting = path.starts_with("/static/") && response.status().is_success();
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = header::HeaderValue::from_str(value) {
            headers.insert(header::HeaderName::from_static(name), value);
        }
    };
    set("content-security-policy", CSP);
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "same-origin");
    set("cross-origin-opener-policy", "same-origin");
    set("vary", "hx-request, cookie");
    if !lasting {
        set("cache-control", "no-store");
    }
    if secure {
        set("strict-transport-security", "max-age=31536000");
    }
    if let Some(id) = id {
        set("x-request-id", &id.to_string());
    }
}

/// Refuses forms that another site sent. Programs, which send neither header, have no cookie that a site could use.
pub(crate) async fn forms_from_elsewhere(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe && !request.path().starts_with("/api/") && from_elsewhere(request.request()) {
        let message = "This form was sent from another site. Open the page here and repeat it.".to_owned();
        // An answer and not an error: the layer around this one draws answers alone.
        return Ok(request.error_response(Fault::Forbidden { message, word: "another_site" }));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn from_elsewhere(request: &HttpRequest) -> bool {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text("host").unwrap_or_default();
            origin.split_once("://").is_none_or(|(_, from)| from != host)
        }
        (None, None) => false,
    }
}

async fn draw(request: &HttpRequest, fault: &Fault, id: Option<Id<Request>>) -> HttpResponse {
    if request.path().starts_with("/api/") && request.path() != "/api/docs" {
        return problem(fault, id);
    }
    let drawn = match Stranger::of(request) {
        Ok(door) if door.wants_part() => toast(fault),
        Ok(door) => page(request, fault, &door, id).await,
        Err(_) => return HttpResponse::new(fault.status()),
    };
    drawn.unwrap_or_else(|_| HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR))
}

/// RFC 9457.
fn problem(fault: &Fault, id: Option<Id<Request>>) -> HttpResponse {
    let errors: Vec<_> = match fault {
        Fault::Invalid(fields) => {
            fields.iter().map(|field| json!({"field": field.field, "message": field.message})).collect()
        }
        _ => Vec::new(),
    };
    let status = fault.status();
    let mut body = json!({
        "type": format!("about:blank#{}", fault.word()),
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "code": fault.word(),
        "detail": fault.to_string(),
        "request_id": id.map(|id| id.to_string()),
    });
    if let (Some(body), false) = (body.as_object_mut(), errors.is_empty()) {
        body.insert("errors".to_owned(), errors.into());
    }
    let mut response = HttpResponse::build(status);
    if matches!(fault, Fault::Unauthenticated) {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    response.content_type("application/problem+json").body(body.to_string())
}

fn toast(fault: &Fault) -> super::Answer {
    if matches!(fault, Fault::Unauthenticated) {
        return Ok(HttpResponse::Unauthorized().insert_header(("HX-Redirect", "/sign-in")).finish());
    }
    let text = match fault {
        Fault::Invalid(fields) => fields.iter().map(|field| field.message.as_str()).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    let notice = views::Notice { tone: views::Tone::Bad, text, undo: None };
    let toast = views::errors::ToastAnswer { notice: Some(notice), csrf: String::new() };
    let mut response = html(fault.status(), toast.render())?;
    // What was asked for is not swapped; the toast places itself.
    response
        .headers_mut()
        .insert(header::HeaderName::from_static("hx-reswap"), header::HeaderValue::from_static("none"));
    Ok(response)
}

async fn page(request: &HttpRequest, fault: &Fault, door: &Stranger, id: Option<Id<Request>>) -> super::Answer {
    if matches!(fault, Fault::Unauthenticated) && request.method() == Method::GET {
        let next = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let next = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
        return door.go(&format!("/sign-in?{next}"));
    }
    let mut trouble = views::errors::Trouble::of(fault.status().as_u16());
    trouble.request_id = id.map(|id| id.to_string()).unwrap_or_default();
    match fault {
        Fault::Forbidden { message, .. } | Fault::Conflict(message) | Fault::Malformed(message) => {
            trouble.why.clone_from(message);
            trouble.then = String::new();
        }
        Fault::Failed { message, status: 503 } => trouble.why = (*message).to_owned(),
        Fault::Busy(_) => {
            "It is busy just now.".clone_into(&mut trouble.what);
            trouble.why = fault.to_string();
            trouble.then = String::new();
        }
        Fault::Invalid(fields) => {
            trouble.why = fields.iter().map(|field| field.message.as_str()).collect::<Vec<_>>().join(" ");
        }
        _ => {}
    }
    let here = request.extensions().get::<Here>().cloned();
    let shell = match &here {
        Some(here) => here.shell(views::Place::Overview).await.ok(),
        None => None,
    };
    let Some(shell) = shell else {
        trouble.ways = vec![("To the start".to_owned(), "/".to_owned())];
        return html(fault.status(), views::errors::BareErrorPage { frame: door.bare(), trouble }.render());
    };
    trouble.ways = vec![("Back".to_owned(), here.map(|here| here.href("")).unwrap_or_default())];
    html(fault.status(), views::errors::ErrorPage { shell, trouble }.render())
}
