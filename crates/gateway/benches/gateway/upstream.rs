//! Model servers for what the peers' mock does not do: one that says nothing, and one that streams.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use crate::{peers, policy};

/// The names of their models.
pub const SILENT: &str = "silent";
pub const STREAMING: &str = "streaming";
/// Between the first event and the last.
const PAUSE: Duration = Duration::from_millis(2);
/// What its first event contains.
pub const FIRST: &str = "tok0";
/// How its streams end: the last event and the last chunk.
pub const LAST: &str = "[DONE]\n\n\r\n0\r\n\r\n";

/// Where they are, and what the silent one sees.
pub struct Upstreams {
    silent: SocketAddr,
    pub streaming: SocketAddr,
    /// A call has come to the silent one.
    pub asked: Receiver<()>,
    /// Its connection was closed.
    pub freed: Receiver<Instant>,
}

impl Upstreams {
    /// Starts both; they end with this program.
    pub fn start() -> Self {
        let (asking, asked) = channel();
        let (freeing, freed) = channel();
        let silent = listen(move |stream| {
            let (asking, freeing) = (asking.clone(), freeing.clone());
            let mut came = 0;
            read(stream, |_| {
                came += 1;
                asking.send(()).expect("someone waits");
            });
            if came > 0 {
                freeing.send(Instant::now()).expect("someone waits");
            }
        });
        let streaming = listen(|stream| {
            let mut writer = stream.try_clone().expect("a socket");
            read(stream, |_| drop(events(&mut writer)));
        });
        Self { silent, streaming, asked, freed }
    }

    /// Each as the gateway's process is told of it.
    pub fn providers(&self) -> [String; 3] {
        let url = |name: &str, addr: SocketAddr| format!("{name}=http://{addr}/v1");
        [url(policy::MODEL, peers::MOCK), url(SILENT, self.silent), url(STREAMING, self.streaming)]
    }
}

fn listen(serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    addr
}

/// Calls `each` for every request, until the connection is closed. A request is over with the bracket that ends its body.
fn read(mut stream: TcpStream, mut each: impl FnMut(&[u8])) {
    stream.set_nodelay(true).expect("a socket");
    let (mut seen, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut part) {
        seen.extend_from_slice(part.get(..count).unwrap_or_default());
        if seen.ends_with(b"}") {
            each(&seen);
            seen.clear();
        }
    }
}

fn events(stream: &mut TcpStream) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let first = format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{FIRST} \"}}}}]}}\n\n");
    stream.write_all(format!("{head}{:x}\r\n{first}\r\n", first.len()).as_bytes())?;
    #[expect(clippy::disallowed_methods, reason = "a thread of its own, which is a slow model")]
    thread::sleep(PAUSE);
    stream.write_all(format!("e\r\ndata: {LAST}").as_bytes())
}
