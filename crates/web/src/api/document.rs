//! The description of the API, for programs and for people.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use serde_json::Value;

use crate::{
    http::{Answer, Stranger},
    openapi,
    views::docs::{Docs, OperationGroup},
};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| openapi::describe(&crate::routes()));
static GROUPS: LazyLock<Vec<OperationGroup>> = LazyLock::new(|| openapi::groups(&DOCUMENT));

/// The OpenAPI document.
pub async fn openapi() -> Answer {
    Ok(HttpResponse::Ok().json(&*DOCUMENT))
}

/// The same as a page.
pub async fn docs(door: Stranger) -> Answer {
    door.page(&Docs {
        theme: door.theme(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        base_url: format!("{}/api/v1", door.site.public_url),
        document_url: "/api/v1/openapi.json".to_owned(),
        groups: GROUPS.clone(),
    })
}
