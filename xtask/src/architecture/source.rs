//! Rust text as the checkers read it: without comments and without what stands in literals.

/// One file of Rust.
pub struct Source {
    /// Relative to the project's root.
    pub path: String,
    /// The text with comments and the insides of literals blanked; lines stay where they are.
    pub code: String,
}

impl Source {
    pub fn new(path: impl Into<String>, text: &str) -> Self {
        Self { path: path.into(), code: blank(text) }
    }

    /// The code that is part of the program: up to the unit tests, which stand at the end of a file.
    pub fn program(&self) -> &str {
        let end = self.code.find("#[cfg(test)]\nmod ").unwrap_or(self.code.len());
        self.code.get(..end).unwrap_or_default()
    }

    /// Whether the file belongs to the program rather than to its tests or benchmarks.
    pub fn is_program(&self) -> bool {
        self.path.contains("src/") && !self.path.starts_with("crates/testkit/")
    }

    /// The number of the line at byte `offset`.
    pub fn line(&self, offset: usize) -> usize {
        self.code.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }

    /// The function that the code at `offset` is in, or nothing at the top of a file.
    pub fn function(&self, offset: usize) -> &str {
        let before = self.code.get(..offset).unwrap_or_default();
        let start = words(before, "fn").last().map_or(before.len(), |at| at + "fn".len());
        let name = before.get(start..).unwrap_or_default().trim_start();
        name.split(|c: char| !is_word(c)).next().unwrap_or_default()
    }

    /// Whether the code has an item of this name.
    pub fn defines(&self, name: &str) -> bool {
        const KINDS: [&str; 9] = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "macro_rules!"];
        words(&self.code, name).any(|at| {
            let before = self.code.get(..at).unwrap_or_default().trim_end();
            KINDS.iter().any(|kind| before.strip_suffix(kind).is_some_and(|rest| !rest.ends_with(is_word)))
        })
    }
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `word` stands in `code` as a whole word.
pub fn words<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = usize> + 'c {
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = code.get(..at).unwrap_or_default();
        let after = code.get(at + word.len()..).unwrap_or_default();
        !before.ends_with(is_word) && !after.starts_with(is_word)
    })
}

fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kept, blanked) = literal_or_comment(rest, code.ends_with(is_word));
        let length = if kept + blanked == 0 { first.len_utf8() } else { kept + blanked };
        let (token, after) = rest.split_at(length);
        let (shown, hidden) = if kept + blanked == 0 { (token, "") } else { token.split_at(kept) };
        code.push_str(shown);
        let closing = hidden.strip_suffix('"').map_or(hidden.len(), str::len);
        code.extend(hidden.char_indices().map(|(at, c)| if c == '\n' || at == closing { c } else { ' ' }));
        rest = after;
    }
    code
}

/// How much of a literal or comment at the start of `rest` is shown, and how much is blanked.
fn literal_or_comment(rest: &str, in_word: bool) -> (usize, usize) {
    if rest.starts_with("//") {
        return (0, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (0, block_comment(rest));
    }
    let quote = rest.find(|c| c != 'r' && c != 'b' && c != 'c' && c != '#').unwrap_or(rest.len());
    let prefix = rest.get(..quote).unwrap_or_default();
    let hashes = prefix.matches('#').count();
    let is_prefix = !in_word && prefix.trim_end_matches('#').len() <= 2 && !prefix.starts_with('#');
    let body = rest.get(quote..).unwrap_or_default();
    if body.starts_with('"') && (prefix.is_empty() || is_prefix) {
        let raw = prefix.contains('r');
        return (quote + 1, string_rest(body.get(1..).unwrap_or_default(), raw, hashes));
    }
    if rest.starts_with('\'') {
        return (0, character(rest));
    }
    (0, 0)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(next) = rest.get(at..).filter(|next| !next.is_empty()) {
        let step = if next.starts_with("/*") {
            depth += 1;
            2
        } else if next.starts_with("*/") {
            depth -= 1;
            2
        } else {
            next.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of a string after its opening quote, with its closing quote and hashes.
fn string_rest(body: &str, raw: bool, hashes: usize) -> usize {
    if raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return body.find(&end).map_or(body.len(), |at| at + end.len());
    }
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    body.len()
}

/// Length of a character literal; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let inner = rest.get(1..).unwrap_or_default();
    if inner.starts_with('\\') {
        let escape = inner.char_indices().skip(2).find(|(_, c)| *c == '\'');
        return escape.map_or(0, |(at, _)| at + 2);
    }
    let first = inner.chars().next().map_or(0, char::len_utf8);
    let closed = inner.get(first..).is_some_and(|after| after.starts_with('\''));
    if closed { first + 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let text =
            "a(\"x // y \\\" z\"); // Facts::new()\n/* b /* c */ d */ e('\"', '\\'', r#\"q\" fn r\"#);\nfn f<'a>() {}";
        let code = Source::new("f.rs", text).code;
        assert_eq!(code.lines().count(), 3);
        for gone in ["x", "z", "Facts", "b ", "d ", "q", "fn r"] {
            assert!(!code.contains(gone), "{gone} in {code}");
        }
        for kept in ["a(\"", "e(", "fn f<'a>() {}"] {
            assert!(code.contains(kept), "{kept} not in {code}");
        }
    }

    #[test]
    fn the_function_around_a_place_and_the_items_of_a_file_are_found() {
        let source = Source::new("f.rs", "struct Thing;\nfn first() { call(1) }\nfn second() {\n  call(2) }");
        let at = source.code.rfind("call").unwrap();
        assert_eq!((source.function(at), source.line(at)), ("second", 4));
        assert!(source.defines("Thing") && source.defines("first") && !source.defines("call"));
    }
}
