//! What the model says: the same words for the same question, in the shapes of the OpenAI API.

use bytes::Bytes;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// All answers carry one instant, so that the same question gives the same bytes.
const CREATED: u64 = 1_767_225_600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Plain,
    Slow,
    Silent,
    Half,
    Stall,
    Endless,
    Error(StatusCode),
}

/// The parts of a model call that this model reads, in either API.
#[derive(Debug, Deserialize)]
pub(super) struct ChatCall {
    pub(super) model: String,
    #[serde(default)]
    messages: Vec<Message>,
    /// What an embedding is wanted of: a text, or several.
    #[serde(default)]
    input: Value,
    #[serde(default)]
    pub(super) stream: bool,
    stream_options: Option<StreamOptions>,
    #[serde(alias = "max_completion_tokens")]
    max_tokens: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default)]
    role: String,
    #[serde(default)]
    content: Value,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

impl Message {
    /// The text of the message, whether it is a string or a list of parts.
    fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
                texts.join(" ")
            }
            _ => String::new(),
        }
    }
}

impl ChatCall {
    pub(super) fn behaviour(&self) -> Behaviour {
        match self.model.as_str() {
            "slow" => Behaviour::Slow,
            "silent" => Behaviour::Silent,
            "half" => Behaviour::Half,
            "stall" => Behaviour::Stall,
            "endless" => Behaviour::Endless,
            other => other
                .strip_prefix("error-")
                .and_then(|code| code.parse::<u16>().ok())
                .and_then(|code| StatusCode::from_u16(code).ok())
                .map_or(Behaviour::Plain, Behaviour::Error),
        }
    }

    /// The whole answer as one JSON document.
    pub(super) fn completion(&self, number: u64) -> Bytes {
        let (words, finish) = self.words();
        let message = json!({"role": "assistant", "content": words.concat(), "refusal": null});
        let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": finish});
        let mut answer = self.envelope(number, "chat.completion", &json!([choice]));
        put(&mut answer, "usage", self.usage(words.len()));
        Bytes::from(answer.to_string())
    }

    /// The answer as server-sent events: a role, the words, a finish, the usage if asked for, `[DONE]`.
    pub(super) fn events(&self, number: u64) -> Vec<Bytes> {
        let (words, finish) = self.words();
        let mut events = vec![self.chunk(number, &json!({"role": "assistant", "content": ""}), None)];
        events.extend(words.iter().map(|word| self.chunk(number, &json!({"content": word}), None)));
        events.push(self.chunk(number, &json!({}), Some(finish)));
        if self.wants_usage() {
            let mut last = self.envelope(number, "chat.completion.chunk", &json!([]));
            put(&mut last, "usage", self.usage(words.len()));
            events.push(event(&last));
        }
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        events
    }

    fn chunk(&self, number: u64, delta: &Value, finish: Option<&str>) -> Bytes {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        let mut chunk = self.envelope(number, "chat.completion.chunk", &json!([choice]));
        if self.wants_usage() {
            put(&mut chunk, "usage", Value::Null);
        }
        event(&chunk)
    }

    fn envelope(&self, number: u64, object: &str, choices: &Value) -> Value {
        json!({
            "id": format!("chatcmpl-demo-{number}"), "object": object, "created": CREATED, "model": self.model,
            "choices": choices,
        })
    }

    fn wants_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage)
    }

    /// One token for each four characters read.
    pub(super) fn read(&self) -> usize {
        self.messages.iter().map(|message| message.text().chars().count().div_ceil(4)).sum()
    }

    /// A short vector for each text: its length, and nothing of its meaning.
    pub(super) fn embeddings(&self) -> Bytes {
        let texts = match &self.input {
            Value::Array(texts) => texts.clone(),
            one => vec![one.clone()],
        };
        let lengths: Vec<usize> = texts.iter().map(|text| text.as_str().unwrap_or_default().chars().count()).collect();
        let vector = |(index, length): (usize, &usize)| json!({"object": "embedding", "index": index, "embedding": [length, 0.5, -0.5]});
        let data: Vec<Value> = lengths.iter().enumerate().map(vector).collect();
        let read: usize = lengths.iter().map(|length| length.div_ceil(4)).sum();
        let usage = json!({"prompt_tokens": read, "total_tokens": read});
        Bytes::from(json!({"object": "list", "data": data, "model": self.model, "usage": usage}).to_string())
    }

    /// One token for each word said, and those that were read.
    fn usage(&self, said: usize) -> Value {
        let read = self.read();
        json!({"prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said})
    }

    /// The words of the answer, each with the space before it, and why it ends.
    pub(super) fn words(&self) -> (Vec<String>, &'static str) {
        let question = self.messages.iter().rev().find(|message| message.role == "user").map(Message::text);
        let text = match question.as_deref().map(str::trim) {
            None | Some("") => format!("Hello from {}. Ask me something.", self.model),
            Some(question) => format!(
                "You asked: {question} — I am {}, a demonstration model: I have no opinion, but I read every word of it.",
                self.model
            ),
        };
        let mut words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
        let most = self.max_tokens.unwrap_or(usize::MAX);
        let finish = if words.len() > most { "length" } else { "stop" };
        words.truncate(most);
        (words, finish)
    }
}

/// The list of models, in the shape of `GET /v1/models`.
pub(super) fn models(ids: &[&str]) -> Value {
    let data: Vec<Value> = ids
        .iter()
        .map(|id| json!({"id": id, "object": "model", "created": CREATED, "owned_by": "gatewarden"}))
        .collect();
    json!({"object": "list", "data": data})
}

/// An error, in the shape that OpenAI clients read.
pub(super) fn error(code: &str, message: &str) -> Value {
    json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}})
}

fn event(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}
