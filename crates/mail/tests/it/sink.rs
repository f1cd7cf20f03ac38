//! A mail server that takes one mail and keeps what it was told.

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

/// One that listens on this machine.
pub struct Sink {
    pub url: String,
    received: JoinHandle<std::io::Result<Vec<String>>>,
}

impl Sink {
    /// Answers `refusal` to the recipient, or takes the mail.
    pub async fn start(refusal: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        Self { url, received: tokio::spawn(serve(listener, refusal)) }
    }

    /// The commands and the mail, line by line.
    pub async fn received(self) -> Vec<String> {
        self.received.await.expect("no panic").expect("a conversation")
    }
}

async fn serve(listener: TcpListener, refusal: Option<&'static str>) -> std::io::Result<Vec<String>> {
    let (stream, _) = listener.accept().await?;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut received = Vec::new();
    let mut in_mail = false;
    write.write_all(b"220 sink\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.as_str() {
            "." if in_mail => {
                in_mail = false;
                Some("250 taken")
            }
            _ if in_mail => None,
            "DATA" => {
                in_mail = true;
                Some("354 go on")
            }
            "QUIT" => break,
            to if to.starts_with("RCPT") => Some(refusal.unwrap_or("250 ok")),
            _ => Some("250 ok"),
        };
        let over = !in_mail && line == ".";
        received.push(line);
        if let Some(answer) = answer {
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        if over || answer.is_some_and(|answer| answer.starts_with('5')) {
            break;
        }
    }
    Ok(received)
}
