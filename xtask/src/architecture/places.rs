//! What may be written only in certain places.

use super::source::{Source, is_word, words};

/// Who may assemble `Facts`: the crate that defines them and the two that read grants.
const MAKERS_OF_FACTS: [&str; 3] = ["crates/access/", "crates/store/", "crates/gateway/"];

/// Crates that are total functions of their arguments.
const PURE: [&str; 4] = ["crates/access/", "crates/trail/", "crates/policy/", "crates/types/"];
const OUTSIDE: [&str; 9] =
    ["std::fs", "std::env", "std::process", "std::thread", "TcpStream", "UdpSocket", "SystemTime", "Instant", "tokio"];

/// What sends text to the database as it is, so that a second statement in it would run too.
const SIMPLE_PROTOCOL: [&str; 4] = ["execute_unprepared", "from_string", "raw_sql", "query_unprepared"];

/// Where such text is put together all the same: the file, the function and what the text is made of, which is
/// constants and identifiers that were checked.
const PUT_TOGETHER: [Place; 8] = [
    ("crates/store/src/backend/postgres.rs", "change", "the organization's id and a number made of it"),
    ("crates/store/src/backend/postgres.rs", "read", "the organization's id"),
    ("crates/store/src/backend/postgres.rs", "observe", "the organization's id"),
    ("crates/store/src/backend/postgres.rs", "provision", "the organization's id and the serving login"),
    ("crates/store/src/backend/postgres.rs", "discard", "the organization's id"),
    ("crates/store/src/backend/postgres.rs", "grant", "names of tables, and of one schema and role"),
    ("crates/store/src/backend/postgres.rs", "text", "its argument, which is 'static"),
    ("migrations/src/append_only.rs", "protect", "names of tables, which are 'static"),
];
type Place = (&'static str, &'static str, &'static str);

/// Types of the database that no caller of the store may hold.
const RAW: [&str; 8] = [
    "DatabaseConnection",
    "DatabaseTransaction",
    "DbConn",
    "ConnectionTrait",
    "SqlitePool",
    "PgPool",
    "ActiveModel",
    "EntityTrait",
];

pub fn findings(sources: &[Source]) -> Vec<String> {
    breaches(sources, &PUT_TOGETHER)
}

fn breaches(sources: &[Source], put_together: &[Place]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        facts(source, &mut found);
        purity(source, &mut found);
        store(source, sources, &mut found);
    }
    simple_protocol(sources, put_together, &mut found);
    found
}

fn facts(source: &Source, found: &mut Vec<String>) {
    if MAKERS_OF_FACTS.iter().any(|folder| source.path.starts_with(folder)) {
        return;
    }
    for at in words(&source.code, "Facts") {
        let rest = source.code.get(at..).unwrap_or_default();
        if rest.starts_with("Facts::") {
            found.push(format!("{}:{}: only store and gateway assemble Facts", source.path, source.line(at)));
        }
    }
    // With another transaction's number, facts that are over would make permits for it.
    for at in words(&source.code, "read_in") {
        found.push(format!("{}:{}: only store says where Facts were read", source.path, source.line(at)));
    }
}

fn purity(source: &Source, found: &mut Vec<String>) {
    if !source.is_program() || !PURE.iter().any(|folder| source.path.starts_with(folder)) {
        return;
    }
    for outside in OUTSIDE {
        for at in words(source.program(), outside) {
            found.push(format!("{}:{}: {outside} in a crate without I/O or clock", source.path, source.line(at)));
        }
    }
}

/// Text for the simple protocol is a literal or a constant, unless its place is in the list.
fn simple_protocol(sources: &[Source], listed: &[Place], found: &mut Vec<String>) {
    let mut unused = listed.to_vec();
    for source in sources.iter().filter(|source| source.is_program()) {
        for call in SIMPLE_PROTOCOL {
            for at in words(source.program(), call) {
                let after = source.code.get(at + call.len()..).unwrap_or_default();
                if !after.starts_with('(') || is_constant(call, after) {
                    continue;
                }
                let place = (source.path.as_str(), source.function(at));
                unused.retain(|(path, function, _)| (*path, *function) != place);
                if !listed.iter().any(|(path, function, _)| (*path, *function) == place) {
                    let (path, line) = (&source.path, source.line(at));
                    found.push(format!("{path}:{line}: {call} in {} sends text that is not constant", place.1));
                }
            }
        }
    }
    found.extend(
        unused.iter().map(|(path, function, _)| format!("{path}: {function} is listed and sends no such text")),
    );
}

/// Whether the text handed over, after the opening bracket, is a literal or a constant's name.
fn is_constant(call: &str, after: &str) -> bool {
    let arguments = after.trim_start_matches('(').trim_start();
    // `Statement::from_string(backend, text)`: the text is the second argument.
    let text = if call == "from_string" { arguments.split_once(',').map_or("", |(_, text)| text) } else { arguments };
    let text = text.trim_start().trim_start_matches("r#");
    let name = text.split([')', ',', '\n']).next().unwrap_or_default().trim();
    let constant = name.rsplit("::").next().unwrap_or_default();
    let is_name =
        !constant.is_empty() && constant.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    text.starts_with('"') || text.starts_with("include_str!(\"") || is_name
}

/// Entities and raw connections stay inside the store.
fn store(source: &Source, sources: &[Source], found: &mut Vec<String>) {
    if !source.path.starts_with("crates/store/src/") {
        return;
    }
    let path = &source.path;
    let mut finding = |at: usize, what: &str| found.push(format!("{path}:{}: {what}", source.line(at)));
    for (at, item) in public_items(source.program()) {
        if item.starts_with("use sea_orm") || item.starts_with("use sqlx") {
            finding(at, "the store hands out no part of its database library");
        }
        if !has_entities(source) && RAW.iter().any(|raw| words(item, raw).next().is_some()) {
            finding(at, "a raw connection or entity in the store's own interface");
        }
        let module = item.strip_prefix("mod ").unwrap_or_default();
        let inside = [format!("crates/store/src/{module}.rs"), format!("crates/store/src/{module}/")];
        let is_inside = |other: &Source| inside.iter().any(|start| other.path.starts_with(start.as_str()));
        if !module.is_empty() && sources.iter().any(|other| is_inside(other) && has_entities(other)) {
            finding(at, "a module with entities is public");
        }
    }
}

fn has_entities(source: &Source) -> bool {
    ["DeriveEntityModel", "sea_orm::model"].iter().any(|mark| source.code.contains(mark))
}

/// What stands after each unrestricted `pub`, up to its body or end.
fn public_items(code: &str) -> impl Iterator<Item = (usize, &str)> {
    words(code, "pub").filter_map(|at| {
        let item = code.get(at + "pub".len()..)?.strip_prefix(' ')?;
        let is_field =
            item.find(|c| !is_word(c)).is_some_and(|at| item.get(at..).is_some_and(|rest| rest.starts_with(": ")));
        let ends: &[char] = if is_field { &[',', '}'] } else { &['{', ';', '='] };
        let end = item.find(ends).unwrap_or(item.len());
        Some((at, item.get(..end)?.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        breaches(&[Source::new(path, text)], &[])
    }

    #[test]
    fn facts_assembled_elsewhere_are_found() {
        let text = "fn f() { let facts = Facts::member(caller); }";
        assert_eq!(found("crates/control/src/keys.rs", text).len(), 1);
        assert!(found("crates/store/src/org.rs", text).is_empty());
        assert_eq!(found("crates/control/src/keys.rs", "fn f() { read.facts().clone().read_in(2); }").len(), 1);
        assert!(found("crates/control/src/keys.rs", "fn f(facts: &Facts) {} // Facts::member(").is_empty());
    }

    #[test]
    fn a_clock_or_a_file_in_a_pure_crate_is_found() {
        assert_eq!(found("crates/access/src/decide.rs", "let now = SystemTime::now();").len(), 1);
        assert_eq!(found("crates/trail/src/tree.rs", "use std::fs;").len(), 1);
        assert!(found("crates/trail/src/tree.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }").is_empty());
        assert!(found("crates/store/src/files.rs", "use std::fs;").is_empty());
    }

    #[test]
    fn text_put_together_for_the_simple_protocol_is_found() {
        let put_together = "async fn go() { tx.execute_unprepared(&format!(\"SET {x}\")).await?; }";
        assert_eq!(found("crates/store/src/tenancy.rs", put_together).len(), 1);
        assert_eq!(found("crates/store/src/tenancy.rs", "Statement::from_string(backend, sql)").len(), 1);
        let constant = "tx.execute_unprepared(\"BEGIN\"); tx.execute_unprepared(dialect::LOCK_ORG);";
        assert!(found("migrations/src/org.rs", constant).is_empty());
        assert!(found("crates/store/tests/it/refused.rs", put_together).is_empty());
    }

    #[test]
    fn the_list_of_places_has_no_stale_entry() {
        let put_together = Source::new("crates/store/src/tenancy.rs", "fn go() { tx.execute_unprepared(&sql); }");
        let places = [("crates/store/src/tenancy.rs", "go", "ids"), ("crates/store/src/tenancy.rs", "gone", "ids")];
        let mut found = Vec::new();
        simple_protocol(&[put_together], &places, &mut found);
        assert_eq!(found, ["crates/store/src/tenancy.rs: gone is listed and sends no such text"]);
    }

    #[test]
    fn a_raw_connection_or_an_entity_that_leaves_the_store_is_found() {
        let own = |text: &str| found("crates/store/src/org.rs", text).len();
        assert_eq!(own("pub use sea_orm::DbErr;"), 1);
        assert_eq!(own("impl OrgTx { pub fn raw(&self) -> &DatabaseTransaction { &self.tx } }"), 1);
        assert_eq!(own("pub struct A { pub tx: DatabaseTransaction, }"), 1);
        assert_eq!(own("pub struct B { pub seq: Seq, } pub(crate) fn raw(tx: &DatabaseTransaction) {}"), 0);
        assert_eq!(own("pub(crate) fn raw(&self) -> &DatabaseTransaction { &self.tx }"), 0);
        let entity = "#[sea_orm::model]\npub struct Model { pub id: i64 }";
        let with = |lib: &str| {
            let sources =
                [Source::new("crates/store/src/lib.rs", lib), Source::new("crates/store/src/rows/member.rs", entity)];
            breaches(&sources, &[])
        };
        assert_eq!(with("pub mod rows;").len(), 1);
        assert!(with("mod rows;").is_empty());
    }
}
