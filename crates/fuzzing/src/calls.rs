//! What callers ask of models, and what providers answer.

use std::fmt;

use bytes::Bytes;
use gatewarden_gateway::fuzzing;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use crate::take;

/// What the provider calls the model that is called.
const UPSTREAM: &str = "gpt-4o";

/// The body of a chat: it is refused, or goes on with the provider's name for its model, in a stream with the wish for
/// its usage, and with everything else as it came.
pub fn chat_body(bytes: &[u8]) {
    if let Ok(out) = fuzzing::chat(Bytes::copy_from_slice(bytes), UPSTREAM) {
        let (mut before, mut after) = (fields(bytes), fields(&out));
        if before.get("stream") == Some("true") {
            let (asked, sent) = (before.take_options(), after.take_options());
            assert_eq!(sent.map_or_else(Map::new, |sent| options(&sent)), with_usage(asked.as_deref()));
        }
        assert_only_the_model_differs(&before, &after);
    }
}

/// The body of a call of the Anthropic API: it is refused, or goes on with the provider's name for its model and with
/// everything else as it came.
pub fn messages_body(bytes: &[u8]) {
    if let Ok(out) = fuzzing::messages(Bytes::copy_from_slice(bytes), UPSTREAM) {
        assert_only_the_model_differs(&fields(bytes), &fields(&out));
    }
}

fn assert_only_the_model_differs(before: &Fields, after: &Fields) {
    let names = |fields: &Fields| fields.0.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(before), names(after));
    for ((name, came), (_, sent)) in before.0.iter().zip(&after.0) {
        if name == "model" {
            assert_eq!(serde_json::from_str::<String>(sent.get()).expect("a text"), UPSTREAM);
        } else {
            assert_eq!(came.get(), sent.get(), "{name}");
        }
    }
    assert_eq!(names(before).iter().filter(|name| name.eq_ignore_ascii_case("model")).count(), 1);
}

fn options(raw: &RawValue) -> Map<String, Value> {
    serde_json::from_str::<Option<_>>(raw.get()).expect("an object or null").unwrap_or_default()
}

fn with_usage(asked: Option<&RawValue>) -> Map<String, Value> {
    let mut wished = asked.map_or_else(Map::new, options);
    wished.insert("include_usage".to_owned(), Value::Bool(true));
    wished
}

/// A stream of events and a plain answer: however they are cut on the way, the same bytes are passed on and the same tokens
/// counted; only with the event that the gateway asked for itself are they fewer.
pub fn sse(bytes: &[u8]) {
    let mut rest = bytes;
    let [long, short] = take(&mut rest).map(|size: u8| 1 + usize::from(size % 64));
    let whole = || std::iter::once(Bytes::copy_from_slice(rest));
    let by_bytes = || rest.chunks(1).map(Bytes::copy_from_slice);
    let cut = || rest.chunks(long + short).flat_map(|two| two.chunks(long)).map(Bytes::copy_from_slice);
    for strip in [false, true] {
        let (passed, tokens) = fuzzing::streamed(strip, whole());
        assert_eq!(fuzzing::streamed(strip, by_bytes()), (passed.clone(), tokens));
        assert_eq!(fuzzing::streamed(strip, cut()), (passed.clone(), tokens));
        assert!(if strip { passed.len() <= rest.len() } else { passed == rest });
    }
    let tokens = fuzzing::answered(whole());
    assert!(fuzzing::answered(by_bytes()) == tokens && fuzzing::answered(cut()) == tokens);
}

/// An object's fields in their order, each value as it stands there. It is the reader that these checks trust.
#[derive(Debug)]
struct Fields(Vec<(String, Box<RawValue>)>);

fn fields(body: &[u8]) -> Fields {
    serde_json::from_slice(body).expect("a JSON object, before and after")
}

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(here, _)| here == name).map(|(_, value)| value.get())
    }

    fn take_options(&mut self) -> Option<Box<RawValue>> {
        let at = self.0.iter().position(|(name, _)| name == "stream_options")?;
        Some(self.0.remove(at).1)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
