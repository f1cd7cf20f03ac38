//! The Anthropic API, and embeddings.

use gatewarden_credentials::{SealedFor, Secret};
use gatewarden_gateway::{Body, FeedEvent, Tokens};
use gatewarden_trail::Change;
use gatewarden_types::{Dialect, Key, KeyOwner, KeyState, Provider};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::world::{PROMPT, PROVIDER_SECRET, World, entropy, id, model, refused, root};

/// A world with a second provider, which speaks the Anthropic API, and models of it.
async fn anthropic() -> World {
    let world = World::new().await;
    let provider_id = id();
    let purpose = SealedFor::ProviderCredential { organization: world.records.organization.id, provider: provider_id };
    let secret = Secret::new(PROVIDER_SECRET.to_owned());
    let sealed = root().sealing().seal(&secret, purpose, &entropy()).expect("seals");
    let provider = Provider {
        id: provider_id,
        name: "Second".parse().expect("a name"),
        dialect: Dialect::Anthropic,
        base_url: world.upstream.base_url().parse().expect("a base URL"),
        credential: Some(sealed.reference()),
    };
    let models = [("claude", "demo-small"), ("stalls", "stall"), ("refuses", "error-429"), ("bars", "error-401")];
    let models = models.map(|(name, upstream)| Change::put(&model(provider_id, name, upstream)).expect("writes"));
    let changes = std::iter::once(Change::put(&provider).expect("writes")).chain(models).collect();
    let entry = world.records.entry(world.next_seq(), changes);
    let (organization, bytes) = (world.records.organization.id, entry.to_bytes().expect("writes"));
    let bodies = vec![Body { provider: provider_id, name: sealed.reference(), sealed }];
    world.tell(FeedEvent::Entry { organization, bytes, bodies }).await;
    world.gateway.reached(organization, entry.seq).await;
    world
}

fn message(model: &str, stream: bool) -> Value {
    json!({"model": model, "max_tokens": 64, "stream": stream, "messages": [{"role": "user", "content": PROMPT}]})
}

fn post(world: &World, path: &str, body: &Value) -> RequestBuilder {
    world.client.post(world.url(path)).body(body.to_string()).header("x-api-key", &world.secret)
}

async fn send(world: &World, body: &Value) -> Response {
    post(world, "/v1/messages", body).send().await.expect("answers")
}

/// The type, code and message of an error in Anthropic's shape.
fn told(body: &Value) -> (&str, &str, &str) {
    assert_eq!(body["type"], "error", "{body}");
    let text = |name: &str| body["error"][name].as_str().expect("text");
    (text("type"), text("code"), text("message"))
}

// proves RQ-093
#[tokio::test]
async fn a_message_is_answered_and_counted_and_its_provider_sees_its_own_secret() {
    let mut world = anthropic().await;
    let body = message("claude", false);
    let request = post(&world, "/v1/messages?beta=true", &body).header("anthropic-beta", "some-beta");
    let response = request.header("openai-beta", "x").header("cookie", "a=b").send().await.expect("answers");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["request-id"], response.headers()["x-request-id"]);
    let answer: Value = response.json().await.expect("JSON");
    assert!(answer["content"][0]["text"].as_str().expect("text").contains(PROMPT));
    let seen = world.upstream.last_seen().expect("a call");
    assert_eq!(
        (seen.path.as_str(), &seen.headers["x-api-key"]),
        ("/v1/messages", &PROVIDER_SECRET.parse().expect("a value"))
    );
    assert_eq!(
        (&seen.headers["anthropic-version"], &seen.headers["anthropic-beta"]),
        (&"2023-06-01".parse().expect("a value"), &"some-beta".parse().expect("a value"))
    );
    for hidden in ["authorization", "cookie", "openai-beta"] {
        assert!(!seen.headers.contains_key(hidden), "{hidden}");
    }
    assert_eq!(seen.body, body.to_string().replace("\"claude\"", "\"demo-small\""));
    let written = answer["usage"]["output_tokens"].as_u64().expect("a number");
    assert_eq!(world.used(1).await[0].tokens, Some(Tokens { read: 7, written }));
    // A bearer token is as good, and the caller's version of the API is the one that counts.
    let bearer = world.client.post(world.url("/v1/messages")).bearer_auth(&world.secret).body(body.to_string());
    let response = bearer.header("anthropic-version", "2099-01-01").send().await.expect("answers");
    assert_eq!(response.status(), 200);
    assert_eq!(world.upstream.last_seen().expect("a call").headers["anthropic-version"], "2099-01-01");
}

#[tokio::test]
async fn a_streamed_message_passes_byte_by_byte_and_is_counted() {
    let mut world = anthropic().await;
    let through = send(&world, &message("claude", true)).await;
    assert_eq!(through.headers()["content-type"], "text/event-stream");
    let through = through.text().await.expect("a whole stream");
    let seen = world.upstream.last_seen().expect("a call");
    assert_eq!(seen.body, message("demo-small", true).to_string(), "no usage is asked for: it comes anyway");
    let direct = world.client.post(format!("{}/messages", world.upstream.base_url())).body(seen.body);
    let direct = direct.header("x-api-key", PROVIDER_SECRET).header("anthropic-version", "2023-06-01");
    let direct = direct.send().await.expect("answers").text().await.expect("a whole stream");
    assert_eq!(through, direct.replace("msg_demo_2", "msg_demo_1"));
    let record = world.used(1).await[0].clone();
    assert!(record.streamed && record.complete, "{record:?}");
    assert!(record.tokens.is_some_and(|tokens| tokens.read == 7 && tokens.written > 5), "{record:?}");
}

#[tokio::test]
async fn tokens_are_counted_ahead_without_being_used() {
    let mut world = anthropic().await;
    let asked = post(&world, "/v1/messages/count_tokens", &message("claude", false));
    let answer: Value = asked.send().await.expect("answers").json().await.expect("JSON");
    assert_eq!(answer, json!({"input_tokens": 7}));
    assert_eq!(world.upstream.last_seen().expect("a call").path, "/v1/messages/count_tokens");
    let record = &world.used(1).await[0];
    assert_eq!((record.status, record.tokens, record.complete), (200, None, true));
}

#[tokio::test]
async fn embeddings_are_passed_through_and_counted() {
    let mut world = World::new().await;
    let body = json!({"model": "fast", "input": ["one text", "another"], "encoding_format": "float"});
    let answer: Value =
        post(&world, "/v1/embeddings", &body).send().await.expect("answers").json().await.expect("JSON");
    assert_eq!((answer["data"][1]["index"].as_u64(), answer["data"].as_array().map(Vec::len)), (Some(1), Some(2)));
    assert_eq!(world.upstream.last_seen().expect("a call").path, "/v1/embeddings");
    assert_eq!(world.used(1).await[0].tokens, Some(Tokens { read: 4, written: 0 }));
}

#[tokio::test]
async fn every_refusal_has_the_shape_of_the_callers_api() {
    let world = anthropic().await;
    let bare = |path: &str| world.client.post(world.url(path)).body(message("claude", false).to_string());
    let mut barred = message("claude", false);
    barred["mcp_servers"] = json!([{"type": "url", "url": "https://elsewhere.example"}]);
    for (request, status, kind, code) in [
        (bare("/v1/messages"), 401, "authentication_error", "missing_api_key"),
        (bare("/v1/messages").header("x-api-key", "gwk_x"), 401, "authentication_error", "invalid_api_key"),
        (post(&world, "/v1/messages", &message("gpt-4o", false)), 404, "not_found_error", "model_not_found"),
        (post(&world, "/v1/messages", &json!({})), 400, "invalid_request_error", "missing_model"),
        (post(&world, "/v1/messages", &barred), 400, "invalid_request_error", "field_not_allowed"),
        (post(&world, "/v1/messages/batches", &json!({})), 404, "not_found_error", "unknown_url"),
        (world.client.get(world.url("/v1/messages")), 405, "invalid_request_error", "method_not_allowed"),
        (
            world.client.get(world.url("/v1/models")).header("anthropic-version", "x"),
            401,
            "authentication_error",
            "missing_api_key",
        ),
        (post(&world, "/v1/messages", &message("bars", false)), 502, "api_error", "credential_refused"),
    ] {
        let response = request.send().await.expect("answers");
        let (got, request) = (response.status().as_u16(), response.headers()["request-id"].clone());
        let body: Value = response.json().await.expect("JSON");
        let (of, name, text) = told(&body);
        assert_eq!((got, of, name), (status, kind, code), "{body}");
        assert!(text.len() > 20 && request == body["request_id"].as_str().expect("text"), "{body}");
    }
    assert_eq!(world.upstream.calls(), 1, "the one whose secret was refused");
}

#[tokio::test]
async fn a_providers_own_error_passes_as_it_is() {
    let world = anthropic().await;
    let response = send(&world, &message("refuses", false)).await;
    assert_eq!(response.status(), 429);
    let body: Value = response.json().await.expect("JSON");
    assert_eq!((&body["type"], &body["error"]["type"]), (&json!("error"), &json!("rate_limit_error")));
}

#[tokio::test]
async fn a_model_called_in_the_other_api_names_the_path_that_serves_it() {
    let mut world = anthropic().await;
    for path in ["/v1/chat/completions", "/v1/embeddings"] {
        let (status, code, text) =
            refused(post(&world, path, &message("claude", false)).send().await.expect("answers")).await;
        assert_eq!((status, code.as_str()), (400, "other_api"));
        assert!(text.contains("'claude'") && text.contains("Anthropic") && text.contains("/v1/messages"), "{text}");
    }
    let response = send(&world, &message("fast", false)).await;
    let status = response.status().as_u16();
    let body: Value = response.json().await.expect("JSON");
    let (kind, code, text) = told(&body);
    assert_eq!((status, kind, code), (400, "invalid_request_error", "other_api"));
    assert!(text.contains("/v1/chat/completions") && text.contains("'fast'"), "{text}");
    assert_eq!(world.upstream.calls(), 0);
    assert!(world.used(3).await.iter().all(|record| record.refused.as_deref() == Some("other_api")));
}

#[tokio::test]
async fn a_streamed_message_that_is_cut_off_ends_with_an_error_event() {
    let world = anthropic().await;
    let mut running = send(&world, &message("stalls", true)).await;
    assert!(running.chunk().await.expect("a part").is_some());
    let revoked = Key { state: KeyState::Revoked, ..world.key.clone() };
    world.put(vec![Change::put(&revoked).expect("writes")]).await;
    let rest = running.text().await.expect("it ends by itself");
    let event = rest.rsplit_once("event: error\ndata: ").expect("an error event").1;
    let body: Value = serde_json::from_str(event).expect("JSON");
    assert_eq!(told(&body).1, "key_revoked");
    assert!(!rest.contains("message_stop"), "{rest}");
}

#[tokio::test]
async fn who_leaves_a_stream_before_it_is_counted_whole_has_used_what_was_reserved() {
    let mut world = anthropic().await;
    let limited = |key: &mut Key| key.limits.tokens = Some(1000.try_into().expect("a limit"));
    let secret = world.add_key(KeyOwner::Organization, limited).await;
    let mut body = message("stalls", true);
    body["max_tokens"] = 900.into();
    let ask = world.client.post(world.url("/v1/messages")).body(body.to_string()).header("x-api-key", &secret);
    let again = ask.try_clone().expect("text");
    let mut response = ask.send().await.expect("answers");
    assert_eq!(response.status(), 200);
    // Its first event counts what was read, and one token that was written.
    assert!(response.chunk().await.expect("reads").is_some());
    drop(response);
    let record = &world.used(1).await[0];
    assert!(record.tokens.is_some_and(|tokens| tokens.written < 900) && !record.complete, "{record:?}");
    let refusal: Value = again.send().await.expect("answers").json().await.expect("JSON");
    assert_eq!(told(&refusal).1, "rate_limit_exceeded");
}
