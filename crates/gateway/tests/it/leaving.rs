use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{World, question, refused};

async fn send(world: &World, body: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connects");
    let (body, secret) = (body.to_string(), &world.secret);
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    stream.write_all(body.as_bytes()).await.expect("writes");
    stream
}

#[tokio::test]
async fn leaving_in_the_middle_of_a_stream_ends_the_call_at_the_provider() {
    let mut world = World::new().await;
    let mut stream = send(&world, &question("slow", true)).await;
    let mut first = [0; 1];
    stream.read_exact(&mut first).await.expect("an answer begins");
    drop(stream);
    let counts = world.upstream.until(|counts| counts.cancelled == 1).await;
    assert_eq!((counts.open, counts.calls), (0, 1));
    let record = &world.used(1).await[0];
    assert_eq!((record.status, record.complete), (200, false));
}

#[tokio::test]
async fn leaving_while_the_provider_is_silent_frees_it() {
    let mut world = World::new().await;
    for stream in [false, true] {
        let stream = send(&world, &question("silent", stream)).await;
        assert_eq!(world.upstream.until(|counts| counts.open == 1).await.open, 1);
        drop(stream);
        assert_eq!(world.upstream.until(|counts| counts.open == 0).await.open, 0);
    }
    assert_eq!(world.upstream.cancelled(), 2);
    let records = world.used(2).await;
    assert!(records.iter().all(|record| record.status == 499 && !record.complete && record.refused.is_none()));
    assert_eq!(world.all_usage().await.len(), 2);
}

#[tokio::test]
async fn leaving_in_the_middle_of_a_body_calls_nobody() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connects");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\ncontent-length: 900\r\n\r\n{{\"model\":",
        world.secret
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    drop(stream);
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200);
    assert_eq!(world.upstream.calls(), 1);
    // Whether the call that was never whole leaves a record depends on how far it came; it was never answered.
    let answered = world.all_usage().await.iter().filter(|record| record.status == 200).count();
    assert_eq!(answered, 1);
}

#[tokio::test]
async fn a_provider_that_stays_silent_too_long_is_given_up_and_the_caller_told() {
    let world = World::with(|config| config.patience.provider = 0).await;
    let (status, code, message) = refused(world.chat(&world.secret, &question("silent", false)).await).await;
    assert_eq!((status, code.as_str()), (504, "provider_timed_out"));
    assert!(message.contains("'Demo'"), "{message}");
    assert_eq!(world.upstream.until(|counts| counts.open == 0).await.open, 0);
}

#[tokio::test]
async fn a_caller_who_sends_nothing_or_half_a_head_is_cut_off() {
    let world = World::with(|config| config.patience.waiting = 0).await;
    for half in ["", "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-"] {
        let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connects");
        stream.write_all(half.as_bytes()).await.expect("writes");
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap_or_default(), 0);
    }
}

#[tokio::test]
async fn a_caller_who_sends_half_a_body_is_cut_off() {
    let world = World::with(|config| config.patience.receiving = 0).await;
    let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connects");
    let secret = &world.secret;
    let head =
        format!("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {secret}\r\ncontent-length: 9\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await.expect("writes");
    assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap_or_default(), 0);
    assert_eq!(world.upstream.calls(), 0);
}
