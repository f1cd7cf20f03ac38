//! What the gateway reads of a model call, and the few bytes of it that it changes.

mod barred;

use std::{borrow::Cow, fmt, ops::Range};

use bytes::{Bytes, BytesMut};
use gatewarden_types::MOST_TOKENS;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    operation::Operation,
    refusal::{Refusal, shown},
};

/// What is asked of a model, as far as it matters here. What else is in it is the provider's business, unless it would
/// choose where the call goes ([`barred`]).
#[derive(Debug)]
pub(crate) struct Asked {
    body: Bytes,
    /// The model's name as the caller gave it.
    pub(crate) model: String,
    /// Whether the answer is to be streamed.
    pub(crate) stream: bool,
    /// How many tokens the caller would have written at most, if they said so.
    most: u64,
    model_at: Range<usize>,
    options: Option<(Range<usize>, Map<String, Value>)>,
}

/// The fields that say how much the model may write.
const MOST: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// A field's name, which is copied only where it is written with escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct FieldName<'a>(#[serde(borrow)] Cow<'a, str>);

/// The fields that are decided on, each as it stands in the body.
#[derive(Default)]
struct Fields<'a> {
    model: Option<&'a RawValue>,
    stream: Option<&'a RawValue>,
    stream_options: Option<&'a RawValue>,
    /// The greatest number of tokens that any field allows the model to write.
    most: u64,
    /// The first that no caller may set.
    barred: Option<String>,
}

impl<'a> Fields<'a> {
    /// The place of the field that a reader who is careless about case would take `name` for.
    fn named(&mut self, name: &str) -> Option<(&'static str, &mut Option<&'a RawValue>)> {
        // Some letters beyond ASCII have one of ASCII as their upper case.
        let is = |exact: &str| {
            if name.is_ascii() {
                name.eq_ignore_ascii_case(exact)
            } else {
                name.chars().flat_map(char::to_uppercase).eq(exact.chars().map(|letter| letter.to_ascii_uppercase()))
            }
        };
        if is("model") {
            Some(("model", &mut self.model))
        } else if is("stream") {
            Some(("stream", &mut self.stream))
        } else if is("stream_options") {
            Some(("stream_options", &mut self.stream_options))
        } else {
            None
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            // A provider may read names without regard to case and take the last of several: what is decided on here
            // and what is called there would differ. Such a body is refused.
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut fields = Fields::default();
                while let Some(FieldName(name)) = map.next_key()? {
                    let Some((exact, field)) = fields.named(&name) else {
                        if MOST.contains(&&*name) {
                            let most = map.next_value::<Value>()?.as_u64().unwrap_or(0);
                            fields.most = fields.most.max(most);
                            continue;
                        }
                        map.next_value::<IgnoredAny>()?;
                        if barred::is_barred(&name) {
                            fields.barred.get_or_insert_with(|| name.into_owned());
                        }
                        continue;
                    };
                    if exact != name {
                        return Err(M::Error::custom(format!("write '{exact}' in lower case")));
                    }
                    if field.replace(map.next_value()?).is_some() {
                        return Err(M::Error::duplicate_field(exact));
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// What goes to the provider.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) body: Bytes,
    /// Whether the stream will end with a usage event that the caller did not ask for.
    pub(crate) usage_added: bool,
}

impl Asked {
    /// Reads a request body.
    pub(crate) fn parse(body: Bytes) -> Result<Self, Refusal> {
        let malformed = |error: serde_json::Error| Refusal::Malformed(error.to_string());
        // The values that are passed over as well: what is no text to one reader is a quotation mark to another, and then a
        // field that nobody decided on.
        let text = str::from_utf8(&body).map_err(|bad| Refusal::Malformed(bad.to_string()))?;
        let fields: Fields<'_> = serde_json::from_str(text).map_err(malformed)?;
        if let Some(name) = fields.barred {
            return Err(Refusal::FieldNotAllowed(shown(&name)));
        }
        let raw = fields.model.ok_or(Refusal::NoModel)?;
        let model: String = serde_json::from_str(raw.get()).map_err(|_| Refusal::NoModel)?;
        let model_at = place(&body, raw);
        let stream: Option<bool> = read(fields.stream).map_err(malformed)?;
        let options = match (fields.stream_options, read(fields.stream_options).map_err(malformed)?) {
            (Some(raw), options) => Some((place(&body, raw), options.unwrap_or_default())),
            (None, _) => None,
        };
        let most = fields.most;
        Ok(Self { body, model, stream: stream.unwrap_or(false), most, model_at, options })
    }

    /// How many tokens the call may take, before anyone has counted: one for each four bytes, and what it may have
    /// written. Counting ahead takes none.
    pub(crate) fn estimate(&self, operation: Operation) -> u64 {
        match operation {
            Operation::CountTokens => 0,
            _ => (self.body.len() as u64).div_ceil(4).saturating_add(self.most).min(MOST_TOKENS),
        }
    }

    /// The body for the provider: the model under the provider's name, and in a streamed chat the wish for its usage.
    /// All other bytes stay as they came.
    pub(crate) fn outgoing(self, operation: Operation, upstream_model: &str) -> Outgoing {
        let mut edits = Vec::new();
        if self.model != upstream_model {
            // INVARIANT: a text is always JSON.
            edits.push((self.model_at, serde_json::to_string(upstream_model).unwrap_or_default()));
        }
        let mut usage_added = false;
        if self.stream && operation == Operation::Chat {
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

/// Reads a field; one that is not there, or null, is none.
fn read<'a, T: Deserialize<'a>>(field: Option<&'a RawValue>) -> Result<Option<T>, serde_json::Error> {
    field.map_or(Ok(None), |raw| serde_json::from_str(raw.get()))
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

    fn parse(text: &str) -> Result<Asked, Refusal> {
        Asked::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn outgoing(text: &str, model: &str) -> (String, bool) {
        let outgoing = parse(text).expect("a request").outgoing(Operation::Chat, model);
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
    fn only_a_streamed_chat_is_asked_for_its_usage() {
        for operation in [Operation::Messages, Operation::CountTokens, Operation::Embeddings] {
            let outgoing = parse(r#"{"model":"a","stream":true}"#).expect("a request").outgoing(operation, "b");
            assert_eq!((&outgoing.body[..], outgoing.usage_added), (&br#"{"model":"b","stream":true}"#[..], false));
        }
    }

    // incident 19
    #[test]
    fn a_name_that_another_reader_could_take_for_a_decided_one_is_refused() {
        for bad in ["Model", "MODEL", "\\u004dodel", "model", "\\u006dodel", "Stream", "\u{17f}tream", "stream_OPTIONS"]
        {
            let text = format!("{{\"model\":\"cheap\",\"{bad}\":\"dear\"}}");
            assert!(matches!(parse(&text), Err(Refusal::Malformed(_))), "{text}");
        }
        let inner = r#"{"model":"cheap","messages":[{"Model":"x","model":"y"}],"tools":null}"#;
        assert_eq!(outgoing(inner, "cheap"), (inner.to_owned(), false));
    }

    #[test]
    fn a_field_that_chooses_another_model_or_address_is_refused() {
        for (name, value) in [
            ("models", "[\"dear\"]"),
            ("route", "\"fallback\""),
            ("fallbacks", "[{\"model\":\"dear\"}]"),
            ("provider", "{\"order\":[\"x\"]}"),
            ("providerOptions", "{}"),
            ("api_base", "\"http://evil.example\""),
            ("base_url", "null"),
            ("api_key", "\"sk-mine\""),
            ("custom_llm_provider", "\"x\""),
            ("model_list", "[]"),
            ("extra_body", "{\"model\":\"dear\"}"),
            ("Extra-Headers", "{}"),
            ("vertex_credentials", "\"/etc/passwd\""),
            ("user_config", "{}"),
        ] {
            for text in
                [format!("{{\"model\":\"a\",\"{name}\":{value}}}"), format!("{{\"{name}\":{value},\"model\":\"a\"}}")]
            {
                assert_eq!(parse(&text).map(drop), Err(Refusal::FieldNotAllowed(name.to_owned())), "{text}");
            }
        }
        // What stands deeper is the provider's to read, and no field of the request.
        let inner = r#"{"model":"a","metadata":{"models":["x"]},"tools":[{"provider":"x"}]}"#;
        assert_eq!(outgoing(inner, "a"), (inner.to_owned(), false));
    }

    #[test]
    fn nulls_stand_for_nothing() {
        let text = r#"{"model":"a","stream":null,"stream_options":null}"#;
        assert_eq!(outgoing(text, "a"), (text.to_owned(), false));
        let text = r#"{"model":"a","stream":true,"stream_options":null}"#;
        assert_eq!(outgoing(text, "a"), (text.replace("null", r#"{"include_usage":true}"#), true));
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
            assert!(matches!(parse(bad), Err(Refusal::Malformed(_))), "{bad}");
        }
        for none in ["{}", "{\"model\":null}", "{\"model\":7}", "{\"model\":{\"a\":1}}"] {
            assert!(matches!(parse(none), Err(Refusal::NoModel)), "{none}");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_refused_wherever_it_stands() {
        // A careless reader takes the two bytes for a quotation mark, with which the value ends.
        let overlong = b"{\"model\":\"cheap\",\"user\":\"\xc0\xa2,\xc0\xa2model\xc0\xa2:\xc0\xa2dear\"}";
        assert!(matches!(Asked::parse(Bytes::from_static(overlong)), Err(Refusal::Malformed(_))));
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
            if let Ok(asked) = Asked::parse(Bytes::from(bytes)) {
                asked.outgoing(Operation::Chat, "m");
            }
        }
    }
}
