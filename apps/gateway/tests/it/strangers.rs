//! What answers where a control plane should be.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use gatewarden_ambient::{clock, entropy};
use gatewarden_credentials::{GatewayCredential, Token};
use gatewarden_feed::{Report, Spending, UsageRecord};
use gatewarden_link::{ControlPlane, Trouble};
use gatewarden_types::Id;
use serde_json::json;

/// Something that gives this answer to whatever it is asked.
fn answering(status: &'static str, body: String) -> ControlPlane {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let control = at(&listener);
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), status, &body);
        }
    });
    control
}

fn at(listener: &TcpListener) -> ControlPlane {
    // An error says that another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    ControlPlane::new(format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()).unwrap()
}

fn answer(stream: TcpStream, status: &str, body: &str) {
    let (mut asked, mut length) = (BufReader::new(stream), 0);
    loop {
        let mut line = String::new();
        asked.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length: ") {
            length = said.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    asked.read_exact(&mut vec![0; length]).unwrap();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    asked.into_inner().write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
}

fn credential() -> GatewayCredential {
    GatewayCredential::new(Id::new(clock().now(), &entropy()), Token::generate(&entropy()))
}

fn call() -> UsageRecord {
    let at = clock().now();
    UsageRecord {
        request: Id::new(at, &entropy()),
        at,
        organization: Id::new(at, &entropy()),
        seq: 1,
        key: Id::new(at, &entropy()),
        member: None,
        account: None,
        model: None,
        provider: None,
        status: 200,
        refused: None,
        streamed: false,
        complete: true,
        tokens: None,
        total_micros: 1,
        upstream_micros: None,
    }
}

async fn enroll(control: &ControlPlane) -> Trouble {
    let token = credential();
    control.enroll(&token, token.verifier()).await.unwrap_err()
}

#[tokio::test]
async fn a_refusal_is_told_with_its_reason_where_it_has_one() {
    let refused = async |body: String| enroll(&answering("403 Forbidden", body)).await.to_string();
    let problem = |detail: &str| json!({"type": "about:blank", "status": 403, "detail": detail}).to_string();
    let said = refused(problem("It was used already. Add the gateway again.")).await;
    assert_eq!(said, "the control plane answered 403 Forbidden: It was used already. Add the gateway again.");
    assert!(refused(problem("one\u{1b}[2J\ntwo")).await.ends_with(": one[2Jtwo"), "a terminal does not obey it");
    for nothing in [problem(""), problem(&"long".repeat(1024)), "<html>Sign in</html>".to_owned(), String::new()] {
        assert_eq!(refused(nothing).await, "the control plane answered 403 Forbidden");
    }
    assert!(matches!(enroll(&answering("401 Unauthorized", String::new())).await, Trouble::Unknown));
}

// proves that usage is not lost to a page that asks somebody to sign in
#[tokio::test]
async fn what_answers_otherwise_is_told_apart_from_what_is_out_of_reach() {
    let (shown, page) = (credential(), || "<html>Sign in</html>".to_owned());
    let control = answering("200 OK", page());
    let report = Report { position: None, epoch: None, release: "0.1.0".to_owned(), problem: None };
    let troubles = [
        enroll(&control).await,
        control.report(&shown, &report).await.unwrap_err(),
        control.share_limits(&shown, &Spending::default()).await.unwrap_err(),
        control.keep(&shown, &[call()]).await.unwrap_err(),
        enroll(&answering("201 Created", "x".repeat(1 << 20))).await,
    ];
    for trouble in troubles {
        assert!(matches!(trouble, Trouble::Strange(_)), "{trouble}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let control = at(&closed);
    drop(closed);
    assert!(matches!(enroll(&control).await, Trouble::Unreachable(_)));
}
