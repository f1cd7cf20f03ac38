//! Reading the token counts out of an answer while it passes through.

use bytes::{Bytes, BytesMut};
use gatewarden_feed::Tokens;
use gatewarden_types::MOST_TOKENS;
use serde::{Deserialize, de::IgnoredAny};

/// The longest single event, and the longest plain answer, that is looked into. Longer ones pass through unread.
const LONGEST: usize = 4 * 1024 * 1024;

/// A `usage` object of either API. OpenAI's `prompt_tokens` include what came from a cache, Anthropic's `input_tokens` do
/// not.
#[derive(Debug, Deserialize)]
struct Usage {
    #[serde(rename = "prompt_tokens")]
    prompt: Option<u64>,
    #[serde(rename = "completion_tokens")]
    completion: Option<u64>,
    #[serde(rename = "input_tokens")]
    input: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens")]
    cache_written: Option<u64>,
    #[serde(rename = "cache_read_input_tokens")]
    cache_read: Option<u64>,
    #[serde(rename = "output_tokens")]
    output: Option<u64>,
}

impl Usage {
    fn tokens(&self) -> Tokens {
        let cached = [self.cache_written, self.cache_read].into_iter().flatten();
        let input = || cached.fold(self.input.unwrap_or(0), u64::saturating_add);
        let read = self.prompt.unwrap_or_else(input);
        let written = self.completion.or(self.output).unwrap_or(0);
        Tokens { read: read.min(MOST_TOKENS), written: written.min(MOST_TOKENS) }
    }
}

/// An answer or an event, as far as it counts. Anthropic's first event has its usage in the message that it begins.
#[derive(Deserialize)]
struct Answer {
    usage: Option<Usage>,
    message: Option<Begun>,
    choices: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct Begun {
    usage: Option<Usage>,
}

/// Looks into a plain JSON answer.
#[derive(Debug, Default)]
pub(crate) struct PlainAnswer {
    frames: Vec<Bytes>,
    len: usize,
}

impl PlainAnswer {
    /// Notes a part of the answer; its bytes are shared, not copied.
    pub(crate) fn push(&mut self, frame: &Bytes) {
        self.len += frame.len();
        if self.len <= LONGEST {
            self.frames.push(frame.clone());
        } else {
            self.frames.clear();
        }
    }

    /// The counts, once the answer is whole.
    pub(crate) fn tokens(&self) -> Option<Tokens> {
        let whole = match self.frames.as_slice() {
            [] => return None,
            [only] => only.clone(),
            frames => frames.concat().into(),
        };
        // Whether it is text is looked at once, and not for each of its strings. A broken byte in one of them costs no count.
        let answer: serde_json::Result<Answer> =
            str::from_utf8(&whole).map_or_else(|_| serde_json::from_slice(&whole), serde_json::from_str);
        answer.ok()?.usage.map(|usage| usage.tokens())
    }
}

/// Looks into a stream of server-sent events, and can take the usage event out of it. Events pass whole, so that an error
/// event may follow at any time.
#[derive(Debug)]
pub(crate) struct EventStream {
    strip: bool,
    pending: BytesMut,
    seen: usize,
    tokens: Option<Tokens>,
    over: bool,
}

impl EventStream {
    /// With `strip` the event that carries usage alone is left out, because the caller did not ask for it.
    pub(crate) fn new(strip: bool) -> Self {
        Self { strip, pending: BytesMut::new(), seen: 0, tokens: None, over: false }
    }

    /// Takes the next bytes of the stream and returns what to pass on: the events that are complete.
    pub(crate) fn push(&mut self, bytes: &Bytes) -> Bytes {
        self.pending.extend_from_slice(bytes);
        let mut out = BytesMut::new();
        while let Some(end) = self.next_end() {
            let event = self.pending.split_to(end);
            self.seen = 0;
            if !(self.look(&event) && self.strip) {
                // Neighbours in one buffer are joined without a copy.
                out.unsplit(event);
            }
        }
        if self.pending.len() > LONGEST {
            self.seen = 0;
            out.unsplit(self.pending.split());
        }
        out.freeze()
    }

    /// What is left when the stream ends in the middle of an event.
    pub(crate) fn finish(&mut self) -> Bytes {
        self.seen = 0;
        self.pending.split().freeze()
    }

    /// The counts, if an event has brought them.
    pub(crate) fn tokens(&self) -> Option<Tokens> {
        self.tokens
    }

    /// Whether its last event has come, by which each API ends its streams. Clients read no further.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// The end of the first complete event: just after its empty line.
    fn next_end(&mut self) -> Option<usize> {
        while let Some(at) = self.pending.get(self.seen..)?.iter().position(|byte| *byte == b'\n') {
            let after = self.seen + at + 1;
            let rest = self.pending.get(after..)?;
            match rest {
                [b'\n', ..] => return Some(after + 1),
                [b'\r', b'\n', ..] => return Some(after + 2),
                // It takes another byte to tell; come back to this line's end then.
                [] | [b'\r'] => {
                    self.seen = after - 1;
                    return None;
                }
                _ => self.seen = after,
            }
        }
        self.seen = self.pending.len();
        None
    }

    /// Notes the usage of an event; true when it carries nothing else.
    fn look(&mut self, event: &[u8]) -> bool {
        self.over |= is_last(event);
        if !event.windows(7).any(|seven| seven == b"\"usage\"") {
            return false;
        }
        let data = event.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"data:"));
        let Some(answer) = data.and_then(|data| serde_json::from_slice::<Answer>(data).ok()) else { return false };
        let Some(usage) = answer.usage.or_else(|| answer.message?.usage) else { return false };
        // Counts only grow: what a later event does not repeat stays.
        let (now, before) = (usage.tokens(), self.tokens.unwrap_or(Tokens { read: 0, written: 0 }));
        self.tokens = Some(Tokens { read: now.read.max(before.read), written: now.written.max(before.written) });
        answer.choices.is_none_or(|choices| choices.is_empty())
    }
}

fn is_last(event: &[u8]) -> bool {
    let begins = |field: &[u8], value: &[u8]| {
        event.strip_prefix(field).is_some_and(|rest| rest.trim_ascii_start().starts_with(value))
    };
    begins(b"data:", b"[DONE]") || begins(b"event:", b"message_stop")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORDS: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n";
    const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\n";
    const DONE: &str = "data: [DONE]\n\n";

    fn pass(strip: bool, text: &str, cuts: &[usize]) -> (String, Option<Tokens>) {
        let mut stream = EventStream::new(strip);
        let (mut out, mut from) = (Vec::new(), 0);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.sort_unstable();
        for to in cuts.into_iter().chain([text.len()]) {
            out.extend_from_slice(&stream.push(&Bytes::copy_from_slice(&text.as_bytes()[from..to])));
            from = to;
        }
        out.extend_from_slice(&stream.finish());
        (String::from_utf8(out).expect("text"), stream.tokens())
    }

    const COUNTED: Option<Tokens> = Some(Tokens { read: 3, written: 5 });

    proptest! {
        #[test]
        fn however_it_is_cut_a_stream_passes_and_is_counted(cuts in prop::collection::vec(any::<usize>(), 0..12), crlf in any::<bool>()) {
            let lines = |text: String| if crlf { text.replace('\n', "\r\n") } else { text };
            let all = lines([WORDS, WORDS, USAGE, DONE].concat());
            prop_assert_eq!(pass(false, &all, &cuts), (all.clone(), COUNTED));
            prop_assert_eq!(pass(true, &all, &cuts), (lines([WORDS, WORDS, DONE].concat()), COUNTED));
        }

        #[test]
        fn a_stream_of_anything_passes_unchanged(text in "[\\r\\n a-c:\"]{0,60}", cuts in prop::collection::vec(any::<usize>(), 0..6)) {
            for strip in [false, true] {
                prop_assert_eq!(pass(strip, &text, &cuts), (text.clone(), None));
            }
        }
    }

    #[test]
    fn a_stream_is_over_with_the_event_that_each_api_ends_by() {
        for (last, over) in [
            (DONE, true),
            ("data:[DONE]\n\n", true),
            ("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", true),
            ("data: {\"content\":\"[DONE]\"}\n\n", false),
            ("event: message_delta\ndata: {}\n\n", false),
        ] {
            let mut stream = EventStream::new(false);
            stream.push(&Bytes::from_static(WORDS.as_bytes()));
            assert!(!stream.is_over());
            stream.push(&Bytes::from_static(last.as_bytes()));
            assert_eq!(stream.is_over(), over, "{last}");
        }
    }

    #[test]
    fn usage_beside_content_stays_in_the_stream() {
        let last = "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\n";
        assert_eq!(pass(true, last, &[]), (last.to_owned(), COUNTED));
    }

    #[test]
    fn a_message_counts_what_came_from_the_cache_and_grows() {
        let begins = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":2,\
            \"cache_creation_input_tokens\":30,\"cache_read_input_tokens\":400,\"output_tokens\":1}}}\r\n\r\n";
        let ends =
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":9}}\n\n";
        let (passed, tokens) = pass(false, &[begins, WORDS, ends].concat(), &[]);
        assert_eq!(passed, [begins, WORDS, ends].concat());
        assert_eq!(tokens, Some(Tokens { read: 432, written: 9 }));
        let gateways = br#"{"usage":{"prompt_tokens":40,"cache_read_input_tokens":30,"completion_tokens":2}}"#;
        let mut answer = PlainAnswer::default();
        answer.push(&Bytes::from_static(gateways));
        assert_eq!(answer.tokens(), Some(Tokens { read: 40, written: 2 }), "they are among those of the prompt");
    }

    #[test]
    fn a_count_beyond_belief_is_capped() {
        let text = br#"{"usage":{"prompt_tokens":18446744073709551615,"output_tokens":1000000001}}"#;
        let mut answer = PlainAnswer::default();
        answer.push(&Bytes::from_static(text));
        assert_eq!(answer.tokens(), Some(Tokens { read: MOST_TOKENS, written: MOST_TOKENS }));
    }

    #[test]
    fn a_plain_answer_is_counted_in_one_part_or_many() {
        let text = br#"{"choices":[{}],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}"#;
        for size in [1, 7, text.len()] {
            let mut answer = PlainAnswer::default();
            text.chunks(size).for_each(|part| answer.push(&Bytes::copy_from_slice(part)));
            assert_eq!(answer.tokens(), COUNTED);
        }
        assert_eq!(PlainAnswer::default().tokens(), None);
    }
}
