use std::time::Duration;

use gatewarden_demo::upstream::{Settings, Upstream, spawn};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn server() -> Upstream {
    // The client is built without a default provider of its own; an error means that one is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    spawn(listener, Settings { secret: "sk-demo".to_owned(), pace: Duration::ZERO }).expect("serves")
}

async fn chat(server: &Upstream, secret: &str, body: &Value) -> Response {
    let url = format!("{}/chat/completions", server.base_url());
    let request = reqwest::Client::builder().build().expect("builds").post(url);
    request.bearer_auth(secret).body(body.to_string()).send().await.expect("answers")
}

fn question(model: &str, stream: bool) -> Value {
    json!({
        "model": model, "stream": stream, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": "What is the weather?"}],
    })
}

#[tokio::test]
async fn a_plain_answer_repeats_the_question_and_counts_tokens() {
    let server = server().await;
    let answer: Value = chat(&server, "sk-demo", &question("demo-small", false)).await.json().await.expect("JSON");
    let text = answer["choices"][0]["message"]["content"].as_str().expect("text");
    assert!(text.contains("What is the weather?") && text.contains("demo-small"), "{text}");
    assert_eq!(answer["usage"]["prompt_tokens"], 5);
    assert_eq!(answer["usage"]["completion_tokens"], text.split_inclusive(' ').count());
    server.until(|counts| counts.finished == 1 && counts.open == 0).await;
}

#[tokio::test]
async fn a_stream_says_the_same_words_and_ends_with_usage_and_done() {
    let server = server().await;
    let plain: Value = chat(&server, "sk-demo", &question("demo-small", false)).await.json().await.expect("JSON");
    let stream = chat(&server, "sk-demo", &question("demo-small", true)).await.text().await.expect("text");
    let mut events: Vec<&str> = stream.split_terminator("\n\n").map(|event| &event[6..]).collect();
    assert_eq!(events.pop(), Some("[DONE]"));
    let events: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    let words: String = events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(plain["choices"][0]["message"]["content"], words);
    assert_eq!(events.last().expect("some")["usage"], plain["usage"]);
}

#[tokio::test]
async fn a_wrong_secret_and_a_scripted_error_are_told_in_the_shape_that_clients_read() {
    let server = server().await;
    let refused = chat(&server, "sk-other", &question("demo-small", false)).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.calls(), 0);
    let failed = chat(&server, "sk-demo", &question("error-503", false)).await;
    assert_eq!(failed.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body: Value = failed.json().await.expect("JSON");
    assert_eq!(body["error"]["code"], "scripted_error");
}

#[tokio::test]
async fn half_an_answer_breaks_off() {
    let server = server().await;
    for stream in [false, true] {
        let answer = chat(&server, "sk-demo", &question("half", stream)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer.bytes().await.is_err());
    }
}

#[tokio::test]
async fn a_caller_who_leaves_a_silent_model_counts_as_cancelled() {
    let server = server().await;
    let url = format!("{}/chat/completions", server.base_url());
    let request = reqwest::Client::builder().build().expect("builds").post(url).bearer_auth("sk-demo");
    let call = tokio::spawn(request.body(question("silent", false).to_string()).send());
    server.until(|counts| counts.open == 1).await;
    call.abort();
    let counts = server.until(|counts| counts.cancelled == 1).await;
    assert_eq!((counts.open, counts.finished), (0, 0));
}
