use serde_json::{Value, json};

use crate::program::{Folder, Running, client};

/// What the demo printed: the key in its curl line.
fn key(running: &mut Running) -> String {
    let line = (0..4).map(|_| running.line()).find(|line| line.starts_with("curl ")).expect("a curl line");
    let after = line.split("Bearer ").nth(1).expect("a key");
    after.split('\'').next().expect("a key").to_owned()
}

async fn ask(running: &Running, key: &str, stream: bool) -> reqwest::Response {
    let body = json!({"model": "demo-small", "stream": stream, "messages": [{"role": "user", "content": "Hello"}]});
    let url = format!("{}/v1/chat/completions", running.gateway);
    client().post(url).bearer_auth(key).body(body.to_string()).send().await.expect("answers")
}

#[tokio::test]
async fn the_first_call_works_at_once_and_each_start_has_its_own_key() {
    let folder = Folder::new();
    let mut first = Running::start(&folder, &["demo"]);
    let earlier = key(&mut first);
    let answer: Value = ask(&first, &earlier, false).await.json().await.expect("JSON");
    assert!(answer["choices"][0]["message"]["content"].as_str().is_some_and(|text| text.contains("Hello")), "{answer}");
    first.ask_to_end();
    assert!(first.end().success());
    let mut second = Running::start(&folder, &["demo"]);
    let fresh = key(&mut second);
    assert_eq!(ask(&second, &fresh, false).await.status(), 200);
    assert_eq!(ask(&second, &earlier, false).await.status(), 401);
    drop(second);
}

#[tokio::test]
async fn asked_to_end_it_finishes_what_it_streams() {
    let folder = Folder::new();
    let mut running = Running::start(&folder, &["demo"]);
    let key = key(&mut running);
    let mut answer = ask(&running, &key, true).await;
    let mut stream = answer.chunk().await.expect("a first part").expect("some").to_vec();
    running.ask_to_end();
    while let Some(part) = answer.chunk().await.expect("every part") {
        stream.extend_from_slice(&part);
    }
    assert!(String::from_utf8_lossy(&stream).trim_end().ends_with("data: [DONE]"));
    assert!(running.end().success());
}
