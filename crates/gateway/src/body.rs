//! The bodies of answers: short ones of our own, and the provider's as they pass through.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::{
    connections::{Activity, Phase},
    pool::Pooled,
    refusal::{Refusal, Voice},
    running::Leash,
    tokens::{EventStream, PlainAnswer},
    usage::Meter,
};

/// The body of an answer.
pub(crate) struct AnswerBody {
    content: Content,
    /// Told when the answer is through, so that the connection's idle time begins.
    activity: Option<Arc<Activity>>,
}

enum Content {
    Whole(Option<Bytes>),
    Passing(Box<Passing>),
}

/// A provider's answer on its way to the caller. Dropping it hands in the call's record and, if the answer is not
/// whole, lets go of the provider.
pub(crate) struct Passing {
    /// None when the call was cut off.
    incoming: Option<Incoming>,
    /// What it comes over; closed, where it is not read to its end.
    pooled: Option<Pooled>,
    reading: Reading,
    meter: Meter,
    leash: Leash,
    voice: Voice,
    ended: bool,
}

/// How the token counts are read out of an answer.
pub(crate) enum Reading {
    Plain(PlainAnswer),
    Events(EventStream),
    /// It is an error, or of a kind that carries no counts.
    Nothing,
}

impl AnswerBody {
    /// A short body of our own.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self { content: Content::Whole(Some(bytes)), activity: None }
    }

    /// A provider's answer, passed through.
    pub(crate) fn passing(passing: Passing) -> Self {
        Self { content: Content::Passing(Box::new(passing)), activity: None }
    }

    /// Ties it to the connection it goes out on.
    pub(crate) fn on(mut self, activity: Arc<Activity>) -> Self {
        self.activity = Some(activity);
        self
    }
}

impl Passing {
    pub(crate) fn new(
        (incoming, pooled): (Incoming, Pooled),
        reading: Reading,
        meter: Meter,
        leash: Leash,
        voice: Voice,
    ) -> Self {
        Self { incoming: Some(incoming), pooled: Some(pooled), reading, meter, leash, voice, ended: false }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.ended || self.incoming.is_none() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(refusal) = Pin::new(&mut self.leash).poll(cx) {
            return Poll::Ready(Some(self.cut(refusal)));
        }
        while let Some(incoming) = &mut self.incoming {
            let Some(frame) = ready!(Pin::new(incoming).poll_frame(cx)) else {
                return Poll::Ready(self.rest());
            };
            let Ok(bytes) = frame.map_err(io::Error::other)?.into_data() else { continue };
            let bytes = self.look(bytes);
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
        Poll::Ready(None)
    }

    /// Lets go of the provider at once. A stream ends with an event that says why; any other answer has no place for
    /// that, so it breaks off.
    fn cut(&mut self, refusal: Refusal) -> io::Result<Frame<Bytes>> {
        (self.incoming, self.pooled) = (None, None);
        self.meter.cut(&refusal);
        match self.reading {
            Reading::Events(_) => Ok(Frame::data(refusal.event(self.voice))),
            _ => Err(io::Error::other(refusal)),
        }
    }

    fn look(&mut self, bytes: Bytes) -> Bytes {
        match &mut self.reading {
            Reading::Plain(answer) => {
                answer.push(&bytes);
                bytes
            }
            Reading::Events(stream) => stream.push(&bytes),
            Reading::Nothing => bytes,
        }
    }

    fn rest(&mut self) -> Option<io::Result<Frame<Bytes>>> {
        self.ended = true;
        match &mut self.reading {
            Reading::Events(stream) => {
                Some(stream.finish()).filter(|rest| !rest.is_empty()).map(|b| Ok(Frame::data(b)))
            }
            _ => None,
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let (tokens, over) = match &self.reading {
            Reading::Plain(answer) => (answer.tokens(), false),
            Reading::Events(stream) => (stream.tokens(), stream.is_over()),
            Reading::Nothing => (None, false),
        };
        // A server that has sent all announced bytes does not ask for the end, so the body is asked here.
        let ended = self.ended || self.incoming.as_ref().is_some_and(Incoming::is_end_stream);
        if ended && let Some(pooled) = self.pooled.take() {
            pooled.give_back();
        }
        let complete = ended || over;
        // It was told to end, but its caller took nothing more.
        if let Some(refusal) = self.leash.told().filter(|_| !complete) {
            self.meter.cut(&refusal);
        }
        self.meter.note(|record| {
            record.tokens = tokens;
            record.complete = complete;
        });
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let passing = match &mut this.content {
            Content::Whole(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Passing(passing) => passing,
        };
        let frame = passing.poll(cx);
        match &this.activity {
            Some(activity) if frame.is_ready() => activity.enter(Phase::Answering),
            Some(activity) => activity.await_part(),
            None => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Content::Passing(passing) => match passing.reading {
                // What it holds back comes with the end.
                Reading::Events(_) => passing.ended,
                _ => passing.ended || passing.incoming.as_ref().is_some_and(Incoming::is_end_stream),
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Passing(passing) => match passing.reading {
                Reading::Events(_) => SizeHint::default(),
                _ => passing.incoming.as_ref().map_or_else(SizeHint::default, Incoming::size_hint),
            },
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some(activity) = &self.activity {
            activity.end();
        }
    }
}
