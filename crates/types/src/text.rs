//! Text as it is searched and sorted: folded here, in one place, and compared bytewise by both databases.

/// `text` for search and order: trimmed, lower case by Unicode, runs of white space as one space.
pub fn fold(text: &str) -> String {
    text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}
