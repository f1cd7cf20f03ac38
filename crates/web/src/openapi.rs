//! The description of the JSON API, OpenAPI 3.1, made from the route table and the schemas of what it takes and gives.

mod reading;

pub use reading::groups;

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{Operation, Route};

/// The whole document.
pub fn describe(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = SchemaGenerator::new(settings);
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let Some(operation) = &route.operation else { continue };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            let described = describe_one(route, operation, &id(routes, route), &mut schemas);
            methods.insert(route.method.as_str().to_lowercase(), described);
        }
    }
    let mut components = schemas.take_definitions(true);
    components.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Gatewarden",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Who may do what with AI: the management API. A key acts in its own organization, within its levels and its owner's power now.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "key": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer", "description": "An API key." } },
        },
    })
}

fn describe_one(route: &Route, operation: &Operation, id: &str, schemas: &mut SchemaGenerator) -> Value {
    let json_body = |schema: Value| json!({ "application/json": { "schema": schema } });
    let mut success = json!({ "description": "Done." });
    if let Some(answers) = operation.answers {
        success = json!({ "description": "Done.", "content": json_body(answers(schemas).to_value()) });
    }
    if !operation.answers_text.is_empty() {
        let text = |media: &&str| ((*media).to_owned(), json!({ "schema": { "type": "string" } }));
        let content: Map<String, Value> = operation.answers_text.iter().map(text).collect();
        success = json!({ "description": "Done.", "content": content });
    }
    let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let refusal = |status: u16| (status.to_string(), json!({ "description": reason(status), "content": problem }));
    let mut responses: Map<String, Value> = refusals(route, operation).into_iter().map(refusal).collect();
    responses.insert(operation.success.to_string(), success);
    let mut described = json!({
        "operationId": id,
        "summary": operation.summary,
        "description": needs(route),
        "tags": [tag(route.path)],
        "parameters": parameters(route, operation),
        "responses": responses,
    });
    if let (Some(takes), Some(described)) = (operation.takes, described.as_object_mut()) {
        let body = json!({ "required": true, "content": json_body(takes(schemas).to_value()) });
        described.insert("requestBody".to_owned(), body);
    }
    described
}

/// The operation's own word: that of its action, and where an action stands behind several, the last part of the path
/// after it in all but the first.
fn id(routes: &[Route], route: &Route) -> String {
    let action = |route: &Route| route.action.map(|action| action.name.replace('.', "_"));
    let (name, described) = (action(route), |other: &&Route| other.operation.is_some());
    let first = routes.iter().filter(described).find(|other| action(other) == name);
    let is_first = first.is_some_and(|first| (&first.method, first.path) == (&route.method, route.path));
    let last = route.path.rsplit('/').next().unwrap_or_default().trim_matches(['{', '}']);
    let name = name.unwrap_or_default();
    if is_first { name } else { format!("{name}_{last}") }
}

/// What a caller needs, as a sentence.
fn needs(route: &Route) -> String {
    let Some(action) = route.action else { return String::new() };
    let (feature, level) = action.level;
    let (permission, feature, level) = (action.permission.word(), feature.word(), level.word());
    format!("The key's owner needs `{permission}`, and the key itself the level {level} for {feature}.")
}

/// The refusals that a route may answer with.
fn refusals(route: &Route, operation: &Operation) -> Vec<u16> {
    let mut statuses = vec![400, 401, 403, 404, 429, 503];
    if operation.takes.is_some() {
        statuses.extend([408, 413, 415]);
    }
    if operation.takes.is_some() || !operation.query.is_empty() {
        statuses.push(422);
    }
    if route.method != actix_web::http::Method::GET {
        statuses.push(409);
    }
    statuses
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "The request cannot be read.",
        401 => "No key, or one that is not known.",
        403 => "The key may not; `code` and `detail` say why and who can change it.",
        404 => "There is nothing here that the key may see.",
        408 => "The body did not arrive whole in time; nothing was done.",
        409 => "It changed meanwhile, or a rule stands against it.",
        413 => "The body is larger than 64 KiB.",
        415 => "The body is not sent as application/json.",
        422 => "Some fields cannot be taken; `errors` names each.",
        429 => "Too many requests; `Retry-After` says when to try again.",
        _ => "The database could not answer.",
    }
}

fn parameters(route: &Route, operation: &Operation) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path =
        in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let query = operation.query.iter().map(|(name, meaning)| {
        let schema = match *name {
            "limit" => json!({ "type": "integer", "minimum": 1 }),
            "wait" => json!({ "type": "boolean" }),
            _ => json!({ "type": "string" }),
        };
        json!({ "name": name, "in": "query", "description": meaning, "schema": schema })
    });
    let mut all: Vec<Value> = path.chain(query).collect();
    if operation.idempotent {
        all.push(json!({ "name": "Idempotency-Key", "in": "header", "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            "description": "Sent again within a day with the same request, it answers what the first one made, with secret null." }));
    }
    if operation.if_match {
        all.push(json!({ "name": "If-Match", "in": "header", "schema": { "type": "string" },
            "description": "The version that was seen, as the ETag gave it." }));
    }
    all
}

/// The heading an operation stands under: the first part of its path.
fn tag(path: &str) -> &str {
    path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default()
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong, as RFC 9457 has it.",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string", "description": "The reason as a word." },
            "detail": { "type": "string", "description": "What happened, why, and what to do." },
            "request_id": { "type": ["string", "null"] },
            "errors": { "type": "array", "items": { "type": "object", "required": ["field", "message"],
                "properties": { "field": { "type": "string" }, "message": { "type": "string" } } } },
        },
    })
}
