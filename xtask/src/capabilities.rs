//! Which rows of the capability inventory a test names with `// proves RL-012, PK-045`.
//! Counting is not judging: a row is proven only if the test would fail without the capability.

use std::collections::BTreeMap;

use anyhow::Context;

use crate::project;

/// The source systems of the inventory, by the prefix of their ids.
const SYSTEMS: [(&str, &str); 5] =
    [("RQ", "Requesty"), ("RL", "Requestly"), ("KT", "Keeptrusts"), ("LL", "LiteLLM"), ("PK", "Portkey")];

/// Prints what is proven per source system; false when a test names a row that is not in the inventory.
pub fn run(missing: Option<&str>) -> anyhow::Result<bool> {
    let (rows, named) = (inventory()?, named()?);
    print_counts(&rows, &named);
    if let Some(prefix) = missing {
        for (id, capability) in rows.iter().filter(|(id, _)| id.starts_with(prefix) && !named.contains_key(*id)) {
            println!("{id}  {capability}");
        }
    }
    let unknown = unknown(&rows, &named);
    for complaint in &unknown {
        println!("{complaint}");
    }
    Ok(unknown.is_empty())
}

/// Every row of the inventory: id → capability.
fn inventory() -> anyhow::Result<BTreeMap<String, String>> {
    let path = project::root().join("docs/capabilities.csv");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(rows(&text))
}

/// Every row that a test says it proves, and where the first does.
fn named() -> anyhow::Result<BTreeMap<String, String>> {
    let mut named = BTreeMap::new();
    for path in project::files("", &[".rs", ".ts", ".js", ".mjs"])? {
        let text = std::fs::read_to_string(&path)?;
        for (line, id) in proofs(&text) {
            named.entry(id).or_insert_with(|| format!("{}:{line}", project::relative(&path)));
        }
    }
    Ok(named)
}

/// A complaint about each row that is named and not in the inventory.
fn unknown(rows: &BTreeMap<String, String>, named: &BTreeMap<String, String>) -> Vec<String> {
    let unknown = named.iter().filter(|(id, _)| !rows.contains_key(*id));
    unknown.map(|(id, place)| format!("{place} names {id}, which is not in docs/capabilities.csv")).collect()
}

fn print_counts(rows: &BTreeMap<String, String>, named: &BTreeMap<String, String>) {
    let share = |prefix: &str| {
        let of = rows.keys().filter(|id| id.starts_with(prefix));
        (of.clone().filter(|id| named.contains_key(*id)).count(), of.count())
    };
    for (prefix, name) in SYSTEMS.into_iter().chain([("", "all")]) {
        let (proven, of) = share(prefix);
        println!("{name:11} {proven:3} of {of}");
    }
}

/// id → capability. The id and the group are plain words; only the last column is ever quoted.
fn rows(csv: &str) -> BTreeMap<String, String> {
    csv.lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.splitn(3, ',');
            let (id, _group, capability) = (columns.next()?, columns.next()?, columns.next()?);
            Some((id.to_owned(), capability.trim_matches('"').replace("\"\"", "\"")))
        })
        .collect()
}

/// Line number and id of each row that a comment of `text` says it proves.
fn proofs(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((_, comment)) = line.split_once("//") else {
            continue;
        };
        let Some(ids) = comment.trim_start_matches(['/', '!', ' ']).strip_prefix("proves ") else {
            continue;
        };
        for word in ids.split([',', ' ']).map(|word| word.trim_end_matches(['.', ';', ':'])) {
            if is_id(word) {
                found.push((number + 1, word.to_owned()));
            }
        }
    }
    found
}

fn is_id(word: &str) -> bool {
    word.split_once('-').is_some_and(|(system, number)| {
        system.len() == 2
            && system.chars().all(|c| c.is_ascii_uppercase())
            && number.len() == 3
            && number.chars().all(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_names_the_rows_it_proves() {
        let ids = |text: &str| proofs(text).into_iter().map(|(_, id)| id).collect::<Vec<_>>();
        let written = |ids: &str| format!("    // {} {ids}\n    #[test]", "proves");
        assert_eq!(ids(&written("RL-012, PK-045 and KT-001.")), ["RL-012", "PK-045", "KT-001"]);
        assert!(ids("let proves = \"RL-012\";").is_empty());
        assert!(ids(&written("RL-12 and rl-012")).is_empty());
    }

    #[test]
    fn every_row_that_a_test_names_is_in_the_inventory() {
        assert_eq!(unknown(&inventory().unwrap(), &named().unwrap()), Vec::<String>::new());
    }

    #[test]
    fn a_row_that_is_not_in_the_inventory_is_found_with_its_place() {
        let map = |id: &str, text: &str| BTreeMap::from([(id.to_owned(), text.to_owned())]);
        let rows = map("RQ-001", "Roles");
        assert!(unknown(&rows, &map("RQ-001", "tests/it/a.rs:7")).is_empty());
        assert!(unknown(&rows, &map("RQ-999", "tests/it/a.rs:7"))[0].starts_with("tests/it/a.rs:7 names RQ-999"));
    }

    #[test]
    fn a_row_keeps_its_commas_and_quotes() {
        let rows = rows("id,group,capability\nRQ-001,Roles,\"a, \"\"b\"\" c\"\nRQ-002,Roles,plain\n");
        assert_eq!(rows["RQ-001"], "a, \"b\" c");
        assert_eq!(rows["RQ-002"], "plain");
    }

    #[test]
    fn every_row_of_the_inventory_has_an_id_of_a_known_system() {
        let text = std::fs::read_to_string(project::root().join("docs/capabilities.csv")).unwrap();
        let rows = rows(&text);
        assert_eq!(rows.len(), text.lines().count() - 1);
        for id in rows.keys() {
            assert!(is_id(id) && SYSTEMS.iter().any(|(prefix, _)| id.starts_with(prefix)), "{id}");
        }
    }
}
