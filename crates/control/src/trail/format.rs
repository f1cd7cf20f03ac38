use gatewarden_trail::{BadEntry, Entry, Stored, leaf_hash};
use gatewarden_types::Digest;
use serde::Serialize;
use serde_json::Value;

use super::ocsf;

/// How entries are written for other programs, one a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON lines: each is the entry's canonical bytes, so its RFC 6962 hash is the SHA-256 of a zero byte and the line.
    Jsonl,
    /// CSV by RFC 4180, for spreadsheets.
    Csv,
    /// JSON lines of OCSF events.
    Ocsf,
}

const COLUMNS: [&str; 10] =
    ["seq", "at", "actor", "via", "request", "action", "target", "grant", "changed", "leaf_hash"];

impl Format {
    /// The format of this name: jsonl, csv or ocsf.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "jsonl" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "ocsf" => Some(Self::Ocsf),
            _ => None,
        }
    }

    /// Its media type.
    pub fn media(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Ocsf => "application/jsonl",
            Self::Csv => "text/csv",
        }
    }

    /// How files in it end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Ocsf => "ocsf.jsonl",
        }
    }

    /// What comes before the first entry.
    pub fn head(self) -> Vec<u8> {
        match self {
            Self::Csv => row(COLUMNS.map(str::to_owned)),
            Self::Jsonl | Self::Ocsf => Vec::new(),
        }
    }

    /// An entry as a line, with its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn line(self, stored: &Stored) -> Result<Vec<u8>, BadEntry> {
        let entry = || Entry::from_bytes(&stored.bytes);
        Ok(match self {
            Self::Jsonl => [stored.bytes.as_slice(), b"\n"].concat(),
            Self::Csv => row(cells(&entry()?, &stored.bytes)?),
            Self::Ocsf => [serde_json::to_vec(&ocsf::event(&entry()?)?)?.as_slice(), b"\n"].concat(),
        })
    }
}

fn cells(entry: &Entry, bytes: &[u8]) -> Result<[String; 10], BadEntry> {
    let changed = |change: &gatewarden_trail::Change| ocsf::id(change.kind, change.id);
    Ok([
        entry.seq.to_string(),
        entry.at.rfc3339(),
        kind_and_id(&entry.actor)?,
        kind_and_id(&entry.via)?,
        entry.request.to_string(),
        entry.action.clone(),
        entry.target.text(),
        serde_json::to_string(&entry.grant)?,
        entry.changes.iter().map(changed).collect::<Vec<_>>().join(" "),
        Digest(leaf_hash(bytes)).to_string(),
    ])
}

/// Who or how in one word: `account:acc_01J…`, `organization`.
fn kind_and_id(of: &impl Serialize) -> Result<String, BadEntry> {
    let value = serde_json::to_value(of)?;
    let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok([part("kind"), part("id")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":"))
}

/// A line by RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP ASVS 5.0,
/// 1.2.10), and each is in quotes, so that none ends early.
fn row(cells: [String; 10]) -> Vec<u8> {
    let cell = |text: String| {
        let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0']) { "'" } else { "" };
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    };
    format!("{}\r\n", cells.map(cell).join(",")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_ends_early() {
        let mut cells = COLUMNS.map(str::to_owned);
        let bad = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "a\",=1,\"", "plain = text"];
        cells.clone_from_slice(&bad.map(str::to_owned));
        let told = String::from_utf8(row(cells)).unwrap();
        let expected = concat!(
            "\"'=1+1\",\"'+1\",\"'-1\",\"'@SUM(A1)\",\"'\t=1\",\"'\r=1\",\"'\n=1\",\"'\0=1\",",
            "\"a\"\",=1,\"\"\",\"plain = text\"\r\n"
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn formats_have_words() {
        assert_eq!((Format::named("csv"), Format::named("xml")), (Some(Format::Csv), None));
    }
}
