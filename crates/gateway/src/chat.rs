//! What the gateway reads of a chat completion request, and the few bytes of it that it changes.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::refusal::Refusal;

/// A request as far as it matters here. Everything else in it is the provider's business.
#[derive(Debug)]
pub(crate) struct Chat {
    body: Bytes,
    /// The model's name as the caller gave it.
    pub(crate) model: String,
    /// Whether the answer is to be streamed.
    pub(crate) stream: bool,
    model_at: Range<usize>,
    options: Option<(Range<usize>, Map<String, Value>)>,
}

// A field that stands twice is refused: two readers could take different ones.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    stream: Option<bool>,
    #[serde(borrow)]
    stream_options: Option<&'a RawValue>,
}

/// What goes to the provider.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) body: Bytes,
    /// Whether the stream will end with a usage event that the caller did not ask for.
    pub(crate) usage_added: bool,
}

impl Chat {
    /// Reads a request body.
    pub(crate) fn parse(body: Bytes) -> Result<Self, Refusal> {
        let malformed = |error: serde_json::Error| Refusal::Malformed(error.to_string());
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Refusal::Malformed("it has to be a JSON object".to_owned()));
        }
        let fields: Fields<'_> = serde_json::from_slice(&body).map_err(malformed)?;
        let raw = fields.model.ok_or(Refusal::NoModel)?;
        let model: String = serde_json::from_str(raw.get()).map_err(|_| Refusal::NoModel)?;
        let model_at = place(&body, raw);
        let options = match fields.stream_options {
            Some(raw) => Some((place(&body, raw), serde_json::from_str(raw.get()).map_err(malformed)?)),
            None => None,
        };
        let stream = fields.stream.unwrap_or(false);
        Ok(Self { body, model, stream, model_at, options })
    }

    /// The body for the provider: the model under the provider's name, and in a stream the wish for its usage.
    /// All other bytes stay as they came.
    pub(crate) fn outgoing(self, upstream_model: &str) -> Outgoing {
        let mut edits = Vec::new();
        if self.model != upstream_model {
            edits.push((self.model_at, Value::from(upstream_model).to_string()));
        }
        let mut usage_added = false;
        if self.stream {
            match self.options {
                None => {
                    // INVARIANT: the body is an object with a model in it, so a field may follow its last one.
                    let end = self.body.trim_ascii_end().len().saturating_sub(1);
                    edits.push((end..end, r#","stream_options":{"include_usage":true}"#.to_owned()));
                    usage_added = true;
                }
                Some((_, options)) if options.get("include_usage") == Some(&Value::Bool(true)) => {}
                Some((at, mut options)) => {
                    options.insert("include_usage".to_owned(), Value::Bool(true));
                    edits.push((at, Value::Object(options).to_string()));
                    usage_added = true;
                }
            }
        }
        Outgoing { body: edit(&self.body, edits), usage_added }
    }
}

/// Where a value that was read from `body` stands in it.
fn place(body: &[u8], raw: &RawValue) -> Range<usize> {
    let start = raw.get().as_ptr().addr().saturating_sub(body.as_ptr().addr());
    start..start + raw.get().len()
}

fn edit(body: &Bytes, mut edits: Vec<(Range<usize>, String)>) -> Bytes {
    if edits.is_empty() {
        return body.clone();
    }
    edits.sort_by_key(|(at, _)| at.start);
    let grown: usize = edits.iter().map(|(_, text)| text.len()).sum();
    let (mut out, mut from) = (BytesMut::with_capacity(body.len() + grown), 0);
    for (at, text) in edits {
        out.extend_from_slice(body.get(from..at.start).unwrap_or_default());
        out.extend_from_slice(text.as_bytes());
        from = at.end;
    }
    out.extend_from_slice(body.get(from..).unwrap_or_default());
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Chat, Refusal> {
        Chat::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn outgoing(text: &str, model: &str) -> (String, bool) {
        let outgoing = read(text).expect("a request").outgoing(model);
        (String::from_utf8(outgoing.body.to_vec()).expect("text"), outgoing.usage_added)
    }

    #[test]
    fn only_the_model_and_the_usage_option_change() {
        let plain = r#" { "messages" : [{"model":"no"}], "model" : "fast" , "x": 1e2 } "#;
        assert_eq!(outgoing(plain, "fast"), (plain.to_owned(), false));
        assert_eq!(outgoing(plain, "gpt-4o"), (plain.replace("\"fast\"", "\"gpt-4o\""), false));
        assert_eq!(
            outgoing("{\"model\":\"a\",\"stream\":true}\n", "b"),
            ("{\"model\":\"b\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}\n".to_owned(), true)
        );
        let asked = r#"{"stream_options":{"include_usage":true},"stream":true,"model":"a"}"#;
        assert_eq!(outgoing(asked, "a"), (asked.to_owned(), false));
        assert_eq!(
            outgoing(r#"{"stream_options":{"include_usage":false,"x":1},"stream":true,"model":"a"}"#, "b"),
            (r#"{"stream_options":{"include_usage":true,"x":1},"stream":true,"model":"b"}"#.to_owned(), true)
        );
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for bad in [
            "",
            "{",
            "[]",
            "[\"m\",true,null]",
            "{}x",
            "{\"model\":\"a\",\"model\":\"b\"}",
            "{\"model\":\"a\",\"stream\":1}",
            "{\"model\":\"a\",\"stream_options\":[]}",
        ] {
            assert!(matches!(read(bad), Err(Refusal::Malformed(_))), "{bad}");
        }
        for none in ["{}", "{\"model\":null}", "{\"model\":7}", "{\"model\":{\"a\":1}}"] {
            assert!(matches!(read(none), Err(Refusal::NoModel)), "{none}");
        }
    }

    proptest! {
        #[test]
        fn the_rest_of_any_request_stays_as_it_is(
            model in ".{1,12}", other in ".{1,12}", before in ".{0,20}", after in ".{0,20}", stream in any::<bool>(),
        ) {
            let text = |model: &str| format!(
                "{{\"before\":{},\"model\":{},\"stream\":{stream},\"after\":{}}}",
                Value::from(before.as_str()), Value::from(model), Value::from(after.as_str()),
            );
            let (out, added) = outgoing(&text(&model), &other);
            prop_assert_eq!(added, stream);
            let expected = text(&other);
            prop_assert_eq!(&out[..expected.len() - 1], &expected[..expected.len() - 1]);
            prop_assert!(serde_json::from_str::<Value>(&out).is_ok());
        }

        #[test]
        fn no_bytes_are_too_strange_to_refuse(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(chat) = Chat::parse(Bytes::from(bytes)) {
                chat.outgoing("m");
            }
        }
    }
}
