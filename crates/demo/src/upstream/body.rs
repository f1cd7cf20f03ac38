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
    course: Course,
    call: Option<Call>,
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// It goes on to its end.
    Whole,
    /// It ends with an error when half of it is sent.
    BreaksOff,
    /// Nothing more comes when half of it is sent.
    Stalls,
    /// The words of its first half come again and again, for ever.
    Repeats,
}

impl AnswerBody {
    /// A short answer that belongs to no counted call.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { parts: VecDeque::from([bytes]), pause: Duration::ZERO, waiting: None, course: Course::Whole, call: None }
    }

    /// The parts of a call's answer, each after a pause.
    pub(super) fn paced(parts: Vec<Bytes>, pause: Duration, course: Course, call: Call) -> Self {
        let mut parts = VecDeque::from(parts);
        if course != Course::Whole {
            halve(&mut parts);
        }
        Self { parts, pause, waiting: None, course, call: Some(call) }
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
        if self.parts.is_empty() && self.course == Course::Stalls {
            return Poll::Pending;
        }
        if self.parts.is_empty() {
            // The server sends what it has when it is told to wait; only then is there a half to break off after.
            if self.course == Course::BreaksOff && self.call.is_some() {
                self.end();
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.end();
            let broken = io::Error::new(io::ErrorKind::ConnectionAborted, "the answer was to break off here");
            return Poll::Ready((self.course == Course::BreaksOff).then_some(Err(broken)));
        }
        if !self.pause.is_zero() {
            let pause = self.pause;
            ready!(self.waiting.get_or_insert_with(|| Box::pin(sleep(pause))).as_mut().poll(cx));
            self.waiting = None;
        }
        let part = self.parts.pop_front();
        if let (Some(call), Some(part)) = (&self.call, &part) {
            call.sends(part.len());
        }
        if let Some(part) = part.as_ref().filter(|_| self.course == Course::Repeats) {
            self.parts.push_back(part.clone());
        }
        if self.parts.is_empty() && self.course == Course::Whole {
            self.end();
        }
        Poll::Ready(part.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && self.course == Course::Whole
    }

    fn size_hint(&self) -> SizeHint {
        match (self.course, self.parts.front(), self.parts.len()) {
            (Course::Whole, Some(only), 1) => SizeHint::with_exact(only.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
