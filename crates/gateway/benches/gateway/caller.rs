//! A caller on one connection, as close to the socket as it gets.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection, and the key that it calls with.
pub struct Caller {
    stream: TcpStream,
    key: String,
}

impl Caller {
    pub fn connect(to: SocketAddr, key: &str) -> Self {
        let stream = TcpStream::connect(to).expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self { stream, key: key.to_owned() }
    }

    /// Sends a call.
    pub fn send(&mut self, model: &str, stream: bool) {
        let body = format!(
            r#"{{"model":"{model}","stream":{stream},"max_tokens":64,"messages":[{{"role":"user","content":"Hello"}}]}}"#
        );
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.key,
            body.len()
        );
        self.stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).expect("it reads");
    }

    /// Reads until `mark` has come, and gives all that has.
    pub fn read_until(&mut self, mark: &str) -> String {
        self.read_on(String::new(), mark)
    }

    /// Reads on behind what was `seen` until `mark` is there, and gives all that has come.
    pub fn read_on(&mut self, mut seen: String, mark: &str) -> String {
        let mut part = [0; 4096];
        while !seen.contains(mark) {
            let count = self.stream.read(&mut part).expect("it answers in time");
            assert!(count > 0, "it broke off: {seen}");
            seen.push_str(&String::from_utf8_lossy(part.get(..count).unwrap_or_default()));
        }
        seen
    }

    /// Sends a call whose answer is JSON, and gives the status.
    pub fn call(&mut self, model: &str) -> u16 {
        self.send(model, false);
        let answer = self.read_until("\"usage\"");
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
    }
}
