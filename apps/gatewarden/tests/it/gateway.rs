use serde_json::{Value, json};

use crate::program::{Folder, Running, client, text};

/// Asks a running program as the holder of a key or a token.
async fn post(running: &Running, path: &str, shown: &str, body: Value) -> (u16, String) {
    let request = client().post(format!("{}/api/{path}", running.console)).bearer_auth(shown);
    let answer = request.body(body.to_string()).send().await.expect("answers");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

async fn added_beside(folder: &Folder) {
    let made = folder.init("Acme");
    let running = Running::start(folder, &["serve"]);
    let words = ["gateway", "enroll", "acme", "Frankfurt", "--public-url", "https://console.acme.example"];
    let added = folder.run(&words);
    assert!(added.status.success(), "{}", text(&added.stderr));
    let (printed, told) = (text(&added.stdout), text(&added.stderr));
    let token = printed.trim();
    assert!(token.starts_with("gtw_") && printed.lines().count() == 1, "the token alone, for scripts: {printed}");
    for command in ["enroll --control https://console.acme.example --token ", "run --data ./gateway"] {
        assert!(told.contains(&format!("gatewarden-gateway {command}")), "{told}");
    }
    let verifier = json!({ "verifier": "7".repeat(64) });
    let (status, said) = post(&running, "gateway/v1/enroll", token, verifier.clone()).await;
    assert_eq!(status, 201, "the program that runs beside it lets the gateway in: {said}");
    assert_eq!(post(&running, "gateway/v1/enroll", token, verifier).await.0, 403, "once");
    let key = made["master_key"].as_str().expect("a key");
    let listed = client().get(format!("{}/api/v1/gateways", running.console)).bearer_auth(key).send().await;
    let listed: Value = serde_json::from_str(&listed.expect("answers").text().await.expect("text")).expect("JSON");
    assert_eq!((&listed["data"][0]["name"], &listed["data"][0]["state"]), (&json!("Frankfurt"), &json!("enrolled")));
    assert!(listed["in_this_program"]["position"].is_number(), "{listed}");

    let again = folder.run(&words);
    assert!(again.status.code() == Some(1) && text(&again.stderr).contains("Another gateway has this name already"));
    let unknown = folder.run(&["gateway", "enroll", "nobody", "Oslo"]);
    assert!(unknown.status.code() == Some(1) && text(&unknown.stderr).contains("no organization nobody"));
    let nameless = folder.run(&["gateway", "enroll", "acme", ""]);
    assert_eq!(nameless.status.code(), Some(2), "as clap says it");
    let verified = folder.run(&["trail", "verify", "--all"]);
    assert!(verified.status.success(), "{}", text(&verified.stdout));
}

#[tokio::test]
async fn a_gateway_is_added_beside_the_running_program() {
    added_beside(&Folder::new()).await;
}

#[tokio::test]
async fn a_gateway_is_added_beside_the_running_program_on_postgres() {
    let Some(folder) = Folder::on_postgres().await else { return };
    added_beside(&folder).await;
}
