//! The body of an answer: its parts one by one, each after a pause.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::counts::Call;

pub(super) struct AnswerBody {
    parts: VecDeque<Bytes>,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    breaks_off: bool,
    call: Option<Call>,
}

impl AnswerBody {
    /// A short answer that belongs to no counted call.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { parts: VecDeque::from([bytes]), pause: Duration::ZERO, waiting: None, breaks_off: false, call: None }
    }

    /// The parts of a call's answer; with `breaks_off` it ends with an error when half of it is sent.
    pub(super) fn paced(parts: Vec<Bytes>, pause: Duration, breaks_off: bool, call: Call) -> Self {
        let mut parts = VecDeque::from(parts);
        if breaks_off {
            halve(&mut parts);
        }
        Self { parts, pause, waiting: None, breaks_off, call: Some(call) }
    }

    /// The call is over when its last part is handed out: the server does not ask again once it has all bytes.
    fn end(&mut self) {
        if let Some(call) = self.call.take() {
            call.finish();
        }
    }
}

fn halve(parts: &mut VecDeque<Bytes>) {
    if parts.len() > 1 {
        parts.truncate(parts.len().div_ceil(2));
    } else if let Some(only) = parts.front_mut() {
        only.truncate(only.len() / 2);
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.parts.is_empty() {
            // The server sends what it has when it is told to wait; only then is there a half to break off after.
            if self.breaks_off && self.call.is_some() {
                self.end();
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.end();
            let broken = io::Error::new(io::ErrorKind::ConnectionAborted, "the answer was to break off here");
            return Poll::Ready(self.breaks_off.then_some(Err(broken)));
        }
        if !self.pause.is_zero() {
            let pause = self.pause;
            ready!(self.waiting.get_or_insert_with(|| Box::pin(sleep(pause))).as_mut().poll(cx));
            self.waiting = None;
        }
        let part = self.parts.pop_front();
        if self.parts.is_empty() && !self.breaks_off {
            self.end();
        }
        Poll::Ready(part.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && !self.breaks_off
    }

    fn size_hint(&self) -> SizeHint {
        match (self.breaks_off, self.parts.front(), self.parts.len()) {
            (false, Some(only), 1) => SizeHint::with_exact(only.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
