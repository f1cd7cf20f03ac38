//! The document as people read it: operations in groups, schemas as short text.

use serde_json::{Map, Value};

use crate::views::docs::{Answer, Operation, OperationGroup, Parameter};

/// How deep schemas are spelled out.
const DEEPEST: usize = 4;

/// Every operation of the document, by the thing it is about.
pub fn groups(document: &Value) -> Vec<OperationGroup> {
    let mut groups: Vec<OperationGroup> = Vec::new();
    for (path, methods) in entries(at(document, "/paths")) {
        for (method, described) in entries(methods) {
            let tag = text(at(described, "/tags/0"));
            let operation = operation(document, path, method, described);
            match groups.iter_mut().find(|group| group.anchor == tag) {
                Some(group) => group.operations.push(operation),
                None => groups.push(OperationGroup { name: title(&tag), anchor: tag, operations: vec![operation] }),
            }
        }
    }
    groups
}

fn operation(document: &Value, path: &str, method: &str, described: &Value) -> Operation {
    let answers = entries(at(described, "/responses")).map(|(status, answer)| Answer {
        status: status.clone(),
        description: text(at(answer, "/description")),
        body: body(document, answer, status.starts_with('2')),
    });
    let parameters = at(described, "/parameters").as_array().into_iter().flatten().map(|parameter| Parameter {
        name: text(at(parameter, "/name")),
        place: text(at(parameter, "/in")),
        kind: text(at(parameter, "/schema/type")),
        required: *at(parameter, "/required") == true,
        description: text(at(parameter, "/description")),
    });
    Operation {
        id: text(at(described, "/operationId")),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(at(described, "/summary")),
        description: text(at(described, "/description")),
        needs: String::new(),
        parameters: parameters.collect(),
        body: body(document, at(described, "/requestBody"), true),
        answers: answers.collect(),
    }
}

/// What a body looks like. Problems look alike everywhere and are spelled out nowhere.
fn body(document: &Value, described: &Value, spelled_out: bool) -> String {
    let schema = at(described, "/content/application~1json/schema");
    let mut out = String::new();
    if spelled_out && !schema.is_null() {
        spell(document, schema, 0, &mut out);
    }
    out
}

/// Writes a schema as an outline of the JSON that fits it.
fn spell(document: &Value, schema: &Value, depth: usize, out: &mut String) {
    let schema = resolved(document, schema);
    let kinds = kinds(schema);
    let indent = "  ".repeat(depth + 1);
    match at(schema, "/properties").as_object() {
        Some(fields) if depth < DEEPEST => {
            out.push_str("{\n");
            for (name, field) in fields {
                out.push_str(&indent);
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push_str(": ");
                spell(document, field, depth + 1, out);
                let meaning = text(at(field, "/description")).replace('\n', " ");
                if !meaning.is_empty() {
                    out.push_str("  // ");
                    out.push_str(&meaning);
                }
                out.push('\n');
            }
            out.push_str(&"  ".repeat(depth));
            out.push('}');
        }
        _ if !at(schema, "/items").is_null() && depth < DEEPEST => {
            out.push('[');
            spell(document, at(schema, "/items"), depth, out);
            out.push(']');
        }
        _ => return out.push_str(&kinds),
    }
    if kinds.ends_with("null") {
        out.push_str(" | null");
    }
}

/// What a schema allows: its words, or its types.
fn kinds(schema: &Value) -> String {
    let one_of = at(schema, "/oneOf").as_array().or_else(|| at(schema, "/anyOf").as_array());
    if let Some(choices) = one_of {
        return choices.iter().map(kinds).collect::<Vec<_>>().join(" | ");
    }
    if let Some(word) = schema.get("const") {
        return word.to_string();
    }
    if let Some(words) = at(schema, "/enum").as_array() {
        return words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
    }
    match at(schema, "/type") {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" | "),
        one => text(one),
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let name = at(schema, "/$ref").as_str().and_then(|path| path.rsplit('/').next());
    name.map_or(schema, |name| at(document, &format!("/components/schemas/{name}")))
}

/// The part of a document that a JSON pointer names; null where there is none.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `members` as a heading: `Members`.
fn title(tag: &str) -> String {
    let mut letters = tag.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
