//! Documents name things that exist: every `path/file.rs` and `crate::module::function` in them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::crates;
use super::source::{Source, is_word, words};
use crate::project;

/// Endings by which a word in backticks is taken for a file.
const FILES: [&str; 13] =
    [".rs", ".toml", ".lock", ".html", ".css", ".js", ".mjs", ".ts", ".md", ".csv", ".json", ".txt", ".svg"];

/// What there is to be named.
pub struct Known<'s> {
    sources: &'s [Source],
    /// Every file and folder, relative to the root.
    paths: BTreeSet<String>,
    /// Crates that are not ours, as they are written in code.
    others: BTreeSet<String>,
}

impl<'s> Known<'s> {
    pub fn new(sources: &'s [Source], metadata: &Value) -> anyhow::Result<Self> {
        let mut paths = BTreeSet::new();
        for file in project::files("", &[""])? {
            let file = project::relative(&file);
            let folders = file.match_indices('/').filter_map(|(at, _)| file.get(..at)).map(str::to_owned);
            paths.extend(folders);
            paths.insert(file);
        }
        let ours = crates::ours(metadata);
        let others = crates::packages(metadata).map(|(_, name)| name).filter(|name| !ours.contains(name));
        let others = others.chain(["std", "core", "alloc"]).map(|name| name.replace('-', "_"));
        Ok(Self { sources, paths, others: others.collect() })
    }

    fn has_path(&self, mention: &str) -> bool {
        let mention = mention.trim_end_matches('/');
        self.paths.contains(mention) || self.paths.iter().any(|path| path.ends_with(&format!("/{mention}")))
    }

    /// Whether `first::…::last` is an item of ours, or of a crate that is not ours to check.
    fn has_item(&self, mention: &str) -> bool {
        let parts: Vec<&str> = mention.split("::").filter(|part| !part.is_empty()).collect();
        let (Some((last, before)), Some(first)) = (parts.split_last(), parts.first()) else { return false };
        if self.others.contains(*first) {
            return true;
        }
        let (folder, within) = match (starts_upper(first), before.split_first()) {
            (false, Some((name, within))) => (folder_of(name), within),
            _ => (String::new(), before),
        };
        let inside = self.sources.iter().filter(|source| source.path.starts_with(&folder));
        inside.filter(|source| within.iter().all(|part| is_in(source, part))).any(|source| is_item(source, last))
    }
}

fn folder_of(name: &str) -> String {
    let name = name.trim_start_matches("gatewarden_");
    match name {
        "gatewarden" => "apps/gatewarden/src/".to_owned(),
        "migrations" | "xtask" => format!("{name}/src/"),
        _ => format!("crates/{name}/src/"),
    }
}

/// Whether the file is, is in or has the module or type.
fn is_in(source: &Source, part: &str) -> bool {
    let on_path = source.path.trim_end_matches(".rs").split('/').any(|step| step == part);
    let implements = || {
        words(&source.code, part).any(|at| {
            let line = source.code.get(..at).unwrap_or_default().lines().last().unwrap_or_default();
            line.trim_start().starts_with("impl")
        })
    };
    on_path || source.defines(part) || (starts_upper(part) && implements())
}

/// A function must be written there; a type or variant may also come out of a macro.
fn is_item(source: &Source, name: &str) -> bool {
    let is_module = source.path.ends_with(&format!("/{name}.rs")) || source.path.ends_with(&format!("/{name}/mod.rs"));
    is_module || source.defines(name) || (starts_upper(name) && words(&source.code, name).next().is_some())
}

fn starts_upper(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

/// What `document` names that does not exist.
pub fn findings(document: &str, text: &str, known: &Known) -> Vec<String> {
    let missing = mentions(text).filter(|(_, mention)| match mention {
        Mention::Path(path) => !known.has_path(path),
        Mention::Item(item) => !known.has_item(item),
    });
    missing.map(|(line, Mention::Path(name) | Mention::Item(name))| format!("{document}:{line}: no {name}")).collect()
}

enum Mention {
    Path(String),
    Item(String),
}

/// The words in backticks that look like a path or an item; blocks of code are not read.
fn mentions(text: &str) -> impl Iterator<Item = (usize, Mention)> {
    let mut in_block = false;
    let lines = text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        in_block ^= fence;
        !in_block && !fence
    });
    lines.flat_map(|(number, line)| {
        let quoted = line.split('`').skip(1).step_by(2);
        quoted.filter_map(mention).map(move |mention| (number + 1, mention))
    })
}

fn mention(quoted: &str) -> Option<Mention> {
    let name = quoted.split(['(', '<', ' ']).next().unwrap_or_default().trim_end_matches(':');
    let is_item = name.contains("::") && name.chars().all(|c| is_word(c) || c == ':');
    if is_item {
        return Some(Mention::Item(name.to_owned()));
    }
    let is_plain = quoted.chars().all(|c| is_word(c) || "/.-".contains(c));
    let is_relative = !quoted.starts_with(['/', '.', '-']);
    let is_file = FILES.iter().any(|ending| quoted.ends_with(ending) && quoted.len() > ending.len());
    let is_folder = ["crates/", "apps/", "docs/", "templates/", "static/", "migrations/", "xtask/", "e2e/"]
        .iter()
        .any(|top| quoted.starts_with(top));
    (is_plain && is_relative && (is_file || is_folder)).then(|| Mention::Path(quoted.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let sources = [
            Source::new("crates/control/src/members/change_role.rs", "pub async fn change_role() {}"),
            Source::new("crates/store/src/org_tx.rs", "pub struct OrgTx; impl OrgTx { pub fn commit(self) {} }"),
            Source::new("crates/gateway/src/refusal.rs", "enum Refusal { Limit(u8) }"),
        ];
        let paths = ["crates/store/src/org_tx.rs", "crates/store", "templates/members/row.html"];
        let known = Known {
            sources: &sources,
            paths: paths.into_iter().map(str::to_owned).collect(),
            others: BTreeSet::from(["sea_orm".to_owned()]),
        };
        findings("docs/X.md", text, &known)
    }

    #[test]
    fn what_exists_may_be_named() {
        let items = "`control::members::change_role` `store::OrgTx::commit(permit)` `OrgTx::commit` `Refusal::Limit`";
        let paths = "`crates/store/src/org_tx.rs` `org_tx.rs` `crates/store/` `members/row.html`";
        let neither = "`sea_orm::DbErr` `/o/{slug}/members` `cargo xtask test` `a/b` `.rs`\n```\nlost::item\n```";
        assert_eq!(found(&format!("{items}\n{paths}\n{neither}")), Vec::<String>::new());
    }

    #[test]
    fn what_is_gone_is_found_with_its_line() {
        assert_eq!(found("one\n`store::OrgTx::rollback`"), ["docs/X.md:2: no store::OrgTx::rollback"]);
        for gone in
            ["`control::teams::change_role`", "`OrgTx::lost`", "`Refusal::Budget`", "`crates/store/src/lost.rs`"]
        {
            assert_eq!(found(gone).len(), 1, "{gone}");
        }
        assert_eq!(found("`lost::OrgTx`").len(), 1);
    }
}
