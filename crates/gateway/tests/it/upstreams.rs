//! Providers that are slow to connect to, fail, or send more than anyone takes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use gatewarden_trail::Change;
use gatewarden_types::Provider;
use reqwest::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;

use crate::world::{World, question, refused};

/// How long a test waits for what is to happen at all.
const EVER: Duration = Duration::from_mins(1);
const MIB: u64 = 1024 * 1024;

/// A port of the loopback that is taken and where nobody listens yet.
fn silent_port() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("binds");
    socket
}

async fn move_provider(world: &World, base_url: String) {
    let base_url = base_url.parse().expect("a base URL");
    let provider = Provider { base_url, ..world.records.provider.clone() };
    world.put(vec![Change::put(&provider).expect("writes")]).await;
}

async fn retries(world: &World) -> u64 {
    let text = world.client.get(world.url("/metrics")).send().await.expect("answers").text().await.expect("text");
    let row = text.lines().find_map(|line| line.strip_prefix("gatewarden_retries_total "));
    row.expect("a row").parse().expect("a number")
}

#[tokio::test]
async fn a_connection_that_is_refused_is_tried_again() {
    let world = World::with(|config| {
        config.connecting.retries = 12;
        config.connecting.pause = Duration::from_millis(10);
    })
    .await;
    let port = silent_port();
    move_provider(&world, format!("http://{}/v1", port.local_addr().expect("bound"))).await;
    let call = tokio::spawn(world.post(&question("fast", false)).bearer_auth(&world.secret).send());
    while retries(&world).await == 0 {}
    // From now on somebody is there.
    let listener = port.listen(8).expect("listens");
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.expect("a request") > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.expect("writes");
        stream
    };
    let (answer, _stream) = timeout(EVER, async { tokio::join!(call, serve) }).await.expect("it is reached");
    assert_eq!(answer.expect("runs").expect("answers").status(), 200);
}

#[tokio::test]
async fn retries_are_few() {
    let world = World::with(|config| config.connecting.pause = Duration::ZERO).await;
    let port = silent_port();
    move_provider(&world, format!("http://{}/v1", port.local_addr().expect("bound"))).await;
    let answer = world.chat(&world.secret, &question("fast", false)).await;
    assert_eq!(refused(answer).await.1, "provider_unreachable");
    assert_eq!(retries(&world).await, 2);
}

#[tokio::test]
async fn a_request_that_may_have_been_read_is_not_sent_again() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    move_provider(&world, format!("http://{}/v1", listener.local_addr().expect("bound"))).await;
    let (taken, mut requests) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // It reads a request, and hangs up.
            let mut request = [0; 4096];
            taken.send(stream.read(&mut request).await.unwrap_or_default()).expect("counted");
        }
    });
    let answer = world.chat(&world.secret, &question("fast", false)).await;
    let (status, code, message) = refused(answer).await;
    assert_eq!((status, code.as_str()), (502, "provider_broke_off"));
    assert!(message.contains("'Demo'"), "{message}");
    assert!(requests.recv().await.is_some_and(|read| read > 0));
    assert!(requests.try_recv().is_err(), "there was one attempt");
    assert_eq!(retries(&world).await, 0);
}

#[tokio::test]
async fn a_provider_that_lets_nobody_in_is_given_up_and_named() {
    let mut world = World::with(|config| config.connecting.time = Duration::from_millis(50)).await;
    // It accepts, and never says a word of the encryption that is asked for.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    move_provider(&world, format!("https://{}/v1", listener.local_addr().expect("bound"))).await;
    let (status, code, message) = refused(world.chat(&world.secret, &question("fast", false)).await).await;
    assert_eq!((status, code.as_str()), (504, "provider_connect_timed_out"));
    assert!(message.contains("'Demo'") && message.contains("admin"), "{message}");
    assert_eq!(world.used(1).await[0].refused.as_deref(), Some("provider_connect_timed_out"));
}

async fn take(mut response: Response, bytes: u64) {
    let mut taken = 0;
    while taken < bytes {
        taken += response.chunk().await.expect("it goes on").expect("it has no end").len() as u64;
    }
}

#[tokio::test]
async fn who_reads_nothing_costs_little_however_much_is_sent() {
    let world = World::with(|config| config.workers = 1).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 * 1024).expect("is set");
    let mut slow = socket.connect(world.gateway.addr()).await.expect("connects");
    let body = question("endless", true).to_string();
    let head = format!("host: x\r\nx-api-key: {}\r\ncontent-length: {}", world.secret, body.len());
    slow.write_all(format!("POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n\r\n{body}").as_bytes())
        .await
        .expect("writes");
    slow.read_exact(&mut [0; 1]).await.expect("an answer begins");
    // While another, on the same thread, takes 64 MiB, what is sent to the one who takes nothing stays in the buffers.
    let fast = world.chat(&world.secret, &question("endless", false)).await;
    timeout(EVER, take(fast, 64 * MIB)).await.expect("it goes on");
    let sent = world.upstream.until(|_| true).await.sent;
    assert!(sent < 96 * MIB, "{} MiB were sent", sent / MIB);
    drop(slow);
}

/// A provider that answers every request with `head` and two bytes. How many connections it was called over.
async fn counting(head: &'static str) -> (String, Arc<AtomicUsize>) {
    let (listener, connections) =
        (TcpListener::bind("127.0.0.1:0").await.expect("binds"), Arc::<AtomicUsize>::default());
    let (base_url, counted) =
        (format!("http://{}/v1", listener.local_addr().expect("bound")), Arc::clone(&connections));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, SeqCst);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    let answer = format!("HTTP/1.1 {head}content-length: 2\r\n\r\n{{}}");
                    stream.write_all(answer.as_bytes()).await.expect("writes");
                }
            });
        }
    });
    (base_url, connections)
}

async fn call_five_times(head: &'static str, code: u16) -> usize {
    let world = World::with(|config| config.workers = 1).await;
    let (base_url, connections) = counting(head).await;
    move_provider(&world, base_url).await;
    for _ in 0..5 {
        assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), code);
    }
    connections.load(SeqCst)
}

#[tokio::test]
async fn calls_share_a_connection_that_its_provider_keeps_open() {
    assert_eq!(call_five_times("200 OK\r\n", 200).await, 1);
    assert_eq!(call_five_times("503 Busy\r\n", 503).await, 1, "what is passed on is read to its end");
    assert_eq!(call_five_times("200 OK\r\nconnection: close\r\n", 200).await, 5);
    assert_eq!(call_five_times("401 Who\r\n", 502).await, 5, "what is not passed on is not read");
}
