//! Senders that are slow, over a socket.

use std::net::TcpListener;

use gatewarden_testkit::on_both;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::site;

on_both! {
    async fn a_body_that_does_not_arrive_is_not_waited_for(world: World) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = gatewarden_web::serve(site(&world), listener, None).unwrap();
        let handle = server.handle();
        let serving = tokio::spawn(server);
        for (path, answer) in [("/sign-in", "The request came too slowly."), ("/api/v1/keys", "\"code\":\"too_slow\"")] {
            let mut socket = TcpStream::connect(address).await.unwrap();
            let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nemail=");
            socket.write_all(head.as_bytes()).await.unwrap();
            let mut answered = String::new();
            // To the end: the server closes, though the rest of the body never came.
            socket.read_to_string(&mut answered).await.unwrap();
            assert!(answered.starts_with("HTTP/1.1 408 ") && answered.contains(answer), "{answered}");
        }
        handle.stop(false).await;
        serving.await.unwrap().unwrap();
    }
}
