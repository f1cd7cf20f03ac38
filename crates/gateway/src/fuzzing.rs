//! What reads the bytes of callers and providers, as far as a fuzzer has to reach it. For `crates/fuzzing` alone: no
//! program that is shipped has this module.

use bytes::Bytes;

use crate::{
    Tokens,
    asked::Asked,
    operation::Operation,
    tokens::{EventStream, PlainAnswer},
};

/// The body that a chat goes out with to a model that its provider calls `upstream`; else why it is refused.
///
/// # Errors
/// When the body is refused.
pub fn chat(body: Bytes, upstream: &str) -> Result<Bytes, String> {
    rewritten(Operation::Chat, body, upstream)
}

/// The same of a call of the Anthropic API.
///
/// # Errors
/// When the body is refused.
pub fn messages(body: Bytes, upstream: &str) -> Result<Bytes, String> {
    rewritten(Operation::Messages, body, upstream)
}

fn rewritten(operation: Operation, body: Bytes, upstream: &str) -> Result<Bytes, String> {
    let asked = Asked::parse(body).map_err(|refusal| refusal.to_string())?;
    // Every call that is let through was weighed before.
    asked.estimate(operation);
    Ok(asked.outgoing(operation, upstream).body)
}

/// What is passed on of a stream that comes in these pieces, and the tokens that were counted in it. With `strip` the
/// event that the gateway asked for is left out.
pub fn streamed(strip: bool, pieces: impl Iterator<Item = Bytes>) -> (Vec<u8>, Option<Tokens>) {
    let mut stream = EventStream::new(strip);
    let mut passed: Vec<u8> = pieces.flat_map(|piece| stream.push(&piece)).collect();
    passed.extend_from_slice(&stream.finish());
    (passed, stream.tokens())
}

/// The tokens that were counted in a plain answer that came in these pieces.
pub fn answered(pieces: impl Iterator<Item = Bytes>) -> Option<Tokens> {
    let mut answer = PlainAnswer::default();
    pieces.for_each(|piece| answer.push(&piece));
    answer.tokens()
}
