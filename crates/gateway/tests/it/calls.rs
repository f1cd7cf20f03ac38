use gatewarden_gateway::Tokens;
use gatewarden_types::KeyOwner;
use serde_json::{Value, json};

use crate::world::{NOW, PROMPT, PROVIDER_SECRET, World, question, refused};

// proves PK-058
#[tokio::test]
async fn a_plain_call_is_answered_and_recorded_once() {
    let mut world = World::new().await;
    let response = world.chat(&world.secret, &question("fast", false)).await;
    assert_eq!(response.status(), 200);
    let request = response.headers()["x-request-id"].to_str().expect("text").to_owned();
    let answer: Value = response.json().await.expect("JSON");
    assert!(answer["choices"][0]["message"]["content"].as_str().expect("text").contains(PROMPT));
    let (key, member) = (world.key.clone(), world.records.member.clone());
    let (model, organization) = (world.records.model("fast").id, world.records.organization.id);
    let record = world.used(1).await[0].clone();
    assert_eq!((record.organization, record.key, record.seq, record.at.micros()), (organization, key.id, 2, NOW));
    assert_eq!((record.member, record.account), (Some(member.id), Some(member.account)));
    assert_eq!((record.model, record.provider), (Some(model), Some(world.records.provider.id)));
    assert_eq!((record.status, record.refused.as_deref(), record.streamed, record.complete), (200, None, false, true));
    let words = answer["usage"]["completion_tokens"].as_u64().expect("a number");
    assert_eq!(record.tokens, Some(Tokens { read: 7, written: words }));
    assert_eq!(record.request.to_string(), request);
    assert!(record.upstream_micros.expect("it was called") <= record.total_micros);
    assert_eq!(world.all_usage().await.len(), 1);
}

// incident 7
#[tokio::test]
async fn the_provider_sees_its_own_secret_and_model_and_nothing_of_the_callers() {
    let world = World::new().await;
    let body = question("fast", false);
    let request = world.client.post(world.url("/v1/chat/completions?api_base=http://127.0.0.1:1&x=y"));
    let request = request.body(body.to_string()).header("x-api-key", &world.secret);
    let request = request.header("authorization", "Bearer sk-of-the-caller").header("cookie", "a=b");
    let request = request.header("x-forwarded-for", "10.0.0.1").header("x-portkey-custom-host", "http://evil");
    let request = request.header("traceparent", "00-1-2-01").header("openai-organization", "org-other");
    assert_eq!(request.send().await.expect("answers").status(), 200);
    let seen = world.upstream.last_seen().expect("a call");
    assert_eq!(seen.path, "/v1/chat/completions");
    assert_eq!(seen.headers["authorization"], format!("Bearer {PROVIDER_SECRET}"));
    assert_eq!(seen.headers["traceparent"], "00-1-2-01");
    assert_eq!(seen.headers["host"], world.upstream.addr().to_string());
    for hidden in ["x-api-key", "cookie", "x-forwarded-for", "x-portkey-custom-host", "openai-organization"] {
        assert!(!seen.headers.contains_key(hidden), "{hidden}");
    }
    let expected = body.to_string().replace("\"fast\"", "\"demo-small\"");
    assert_eq!(seen.body, expected);
}

// incident 7
#[tokio::test]
async fn a_body_chooses_neither_model_nor_address_beside_the_approved_one() {
    let mut world = World::new().await;
    let mut body = question("fast", false);
    body["api_base"] = "http://127.0.0.1:1".into();
    let response = world.chat(&world.secret, &body).await;
    assert_eq!(response.status(), 400);
    let error: Value = response.json().await.expect("JSON");
    assert_eq!((&error["error"]["code"], &error["error"]["param"]), (&"field_not_allowed".into(), &"api_base".into()));
    assert!(
        error["error"]["message"].as_str().is_some_and(|text| text.contains("'api_base'") && text.contains("'model'"))
    );
    assert_eq!((world.upstream.calls(), world.used(1).await[0].refused.as_deref()), (0, Some("field_not_allowed")));
}

#[tokio::test]
async fn a_stream_passes_byte_by_byte() {
    let mut world = World::new().await;
    let mut body = question("fast", true);
    body["stream_options"] = json!({"include_usage": true});
    let through = world.chat(&world.secret, &body).await;
    assert_eq!(through.headers()["content-type"], "text/event-stream");
    let through = through.text().await.expect("a whole stream");
    let seen = world.upstream.last_seen().expect("a call");
    let direct = world.client.post(format!("{}/chat/completions", world.upstream.base_url()));
    let direct = direct.bearer_auth(PROVIDER_SECRET).body(seen.body).send().await.expect("answers");
    let direct = direct.text().await.expect("a whole stream");
    assert_eq!(through, direct.replace("chatcmpl-demo-2", "chatcmpl-demo-1"));
    let record = world.used(1).await[0].clone();
    assert!(record.streamed && record.complete && record.tokens.is_some_and(|tokens| tokens.read == 7));
}

#[tokio::test]
async fn usage_is_counted_also_when_the_caller_did_not_ask_and_is_then_not_shown() {
    let mut world = World::new().await;
    let text = world.chat(&world.secret, &question("fast", true)).await.text().await.expect("a whole stream");
    assert!(text.ends_with("data: [DONE]\n\n") && !text.contains("prompt_tokens"), "{text}");
    assert!(text.contains("\"finish_reason\":\"stop\""));
    let record = &world.used(1).await[0];
    assert!(record.complete && record.tokens.is_some_and(|tokens| tokens.read == 7 && tokens.written > 5));
}

#[tokio::test]
async fn connections_to_the_provider_are_used_again_after_plain_answers_and_streams() {
    let world = World::with(|config| config.workers = 1).await;
    for turn in 0..20 {
        let response = world.chat(&world.secret, &question("fast", turn % 2 == 0)).await;
        assert!(!response.bytes().await.expect("a whole answer").is_empty());
    }
    assert_eq!((world.upstream.calls(), world.upstream.connections()), (20, 1));
}

#[tokio::test]
async fn a_key_of_the_organization_calls_without_a_member() {
    let mut world = World::new().await;
    let secret = world.add_key(KeyOwner::Organization, |_| ()).await;
    assert_eq!(world.chat(&secret, &question("team/large", false)).await.status(), 200);
    let record = &world.used(1).await[0];
    assert_eq!((record.member, record.account, record.status), (None, None, 200));
}

#[tokio::test]
async fn a_providers_error_is_passed_on_and_counts_as_its_own() {
    let mut world = World::new().await;
    for (model, status) in [("error-429", 429), ("error-500", 500)] {
        let (got, code, _) = refused(world.chat(&world.secret, &question(model, false)).await).await;
        assert_eq!((got, code.as_str()), (status, "scripted_error"));
    }
    let records = world.used(2).await;
    assert!(records.iter().all(|record| record.refused.is_none() && record.tokens.is_none()));
    assert_eq!(records.iter().map(|record| record.status).collect::<Vec<_>>(), [429, 500]);
}

#[tokio::test]
async fn a_refused_credential_does_not_look_like_a_wrong_key() {
    let world = World::new().await;
    let (status, code, message) = refused(world.chat(&world.secret, &question("error-401", false)).await).await;
    assert_eq!((status, code.as_str()), (502, "credential_refused"));
    assert!(message.contains("'Demo'") && message.contains("admin"), "{message}");
}

#[tokio::test]
async fn a_redirect_is_neither_followed_nor_passed_on() {
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
        let mut world = World::new().await;
        world.call_instead(answer).await;
        let response = world.chat(&world.secret, &question("fast", false)).await;
        assert!(!response.headers().contains_key("location"));
        let (got, code, message) = refused(response).await;
        assert_eq!((got, code.as_str()), (502, "provider_redirected"));
        assert!(message.contains("'Demo'"), "{message}");
        assert_eq!(world.used(1).await[0].refused.as_deref(), Some("provider_redirected"));
    }
}

#[tokio::test]
async fn of_a_providers_headers_the_caller_sees_those_of_the_api() {
    let world = World::new().await;
    let hidden = "set-cookie: a=b\r\nlocation: http://x\r\nserver: x\r\nopenai-organization: org-x\r\nalt-svc: x\r\n\
        www-authenticate: Bearer\r\nrefresh: 0;url=http://x\r\nx-powered-by: x\r\nconnection: close\r\nx-request-id: theirs\r\n\
        access-control-allow-origin: *\r\n";
    let shown = "content-type: application/json\r\ncache-control: no-cache\r\nretry-after: 3\r\n\
        x-ratelimit-remaining-tokens: 7\r\nopenai-processing-ms: 12\r\n";
    world.call_instead(format!("HTTP/1.1 200 OK\r\n{hidden}{shown}content-length: 2\r\n\r\n{{}}")).await;
    let response = world.chat(&world.secret, &question("fast", false)).await;
    assert_ne!(response.headers()["x-request-id"], "theirs");
    let mut names: Vec<_> = response.headers().keys().map(reqwest::header::HeaderName::as_str).collect();
    names.sort_unstable();
    let expected = [
        "cache-control",
        "content-length",
        "content-type",
        "date",
        "openai-processing-ms",
        "retry-after",
        "x-ratelimit-remaining-tokens",
        "x-request-id",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_here_too() {
    let mut world = World::new().await;
    for stream in [false, true] {
        let response = world.chat(&world.secret, &question("half", stream)).await;
        assert!(response.bytes().await.is_err());
    }
    assert!(world.used(2).await.iter().all(|record| !record.complete && record.status == 200));
}

#[tokio::test]
async fn a_shutdown_lets_a_running_stream_finish_and_hands_in_its_usage() {
    let world = World::new().await;
    let mut response = world.chat(&world.secret, &question("fast", true)).await;
    assert!(response.chunk().await.expect("a first part").is_some());
    let (all, rest) = tokio::join!(world.all_usage(), async move {
        let mut rest = Vec::new();
        while let Some(part) = response.chunk().await.expect("the stream goes on") {
            rest.extend_from_slice(&part);
        }
        rest
    });
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    assert!(matches!(all.as_slice(), [record] if record.complete));
}
