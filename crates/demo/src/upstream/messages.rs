//! What the model says in the shapes of the Anthropic API.

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};

use super::answer::ChatCall;

/// The whole answer as one JSON document.
pub(super) fn whole(call: &ChatCall, number: u64) -> Bytes {
    let (words, finish) = call.words();
    let content = json!([{"type": "text", "text": words.concat()}]);
    let usage = json!({"input_tokens": call.read(), "output_tokens": words.len()});
    Bytes::from(message(call, number, &content, &reason(finish), &usage).to_string())
}

/// The answer as server-sent events: the message begins, its one block of text comes word by word, it ends.
pub(super) fn events(call: &ChatCall, number: u64) -> Vec<Bytes> {
    let (words, finish) = call.words();
    let usage = json!({"input_tokens": call.read(), "output_tokens": 1});
    let begun = message(call, number, &json!([]), &Value::Null, &usage);
    let word = |word: &String| {
        let delta = json!({"type": "text_delta", "text": word});
        event(&json!({"type": "content_block_delta", "index": 0, "delta": delta}))
    };
    let block = json!({"type": "text", "text": ""});
    let mut events = vec![
        event(&json!({"type": "message_start", "message": begun})),
        event(&json!({"type": "content_block_start", "index": 0, "content_block": block})),
        event(&json!({"type": "ping"})),
    ];
    events.extend(words.iter().map(word));
    let delta = json!({"stop_reason": reason(finish), "stop_sequence": null});
    let usage = json!({"output_tokens": words.len()});
    events.extend([
        event(&json!({"type": "content_block_stop", "index": 0})),
        event(&json!({"type": "message_delta", "delta": delta, "usage": usage})),
        event(&json!({"type": "message_stop"})),
    ]);
    events
}

/// How many tokens a call would read.
pub(super) fn count(call: &ChatCall) -> Bytes {
    Bytes::from(json!({"input_tokens": call.read()}).to_string())
}

/// An error, in the shape that Anthropic clients read.
pub(super) fn error(status: StatusCode, message: &str) -> Value {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}})
}

fn message(call: &ChatCall, number: u64, content: &Value, reason: &Value, usage: &Value) -> Value {
    json!({
        "id": format!("msg_demo_{number}"), "type": "message", "role": "assistant", "model": call.model,
        "content": content, "stop_reason": reason, "stop_sequence": null, "usage": usage,
    })
}

fn reason(finish: &str) -> Value {
    Value::from(if finish == "length" { "max_tokens" } else { "end_turn" })
}

fn event(value: &Value) -> Bytes {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    Bytes::from(format!("event: {kind}\ndata: {value}\n\n"))
}
