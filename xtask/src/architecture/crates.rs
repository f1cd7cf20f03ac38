//! Which crate may know which, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::project;

/// A crate and what it may not reach, not even through others.
const NEVER: [(&str, &[&str]); 7] = [
    ("gatewarden-gateway", DATABASE),
    ("gatewarden-gateway-app", DATABASE),
    ("gatewarden-control", &["actix-web", "actix-http"]),
    ("gatewarden-access", OUTSIDE),
    ("gatewarden-trail", OUTSIDE),
    ("gatewarden-policy", OUTSIDE),
    ("gatewarden-types", OUTSIDE),
];
const DATABASE: &[&str] = &["gatewarden-store", "gatewarden-control", "gatewarden-web", "sea-orm", "sqlx", "sqlx-core"];
const OUTSIDE: &[&str] = &["tokio", "sea-orm", "reqwest", "hyper", "actix-web"];

/// A crate and what it may not use itself: what it needs of it comes through the crate between.
const NEVER_ITSELF: [(&str, &str); 2] = [("gatewarden-web", "gatewarden-store"), ("gatewarden-control", "askama")];

/// Only the programs may use it: the clock and the randomness of the machine.
const FOR_PROGRAMS: &str = "gatewarden-ambient";
const PROGRAMS: [&str; 2] = ["gatewarden", "gatewarden-gateway-app"];

/// Only tests may use it.
const FOR_TESTS: &str = "gatewarden-testkit";

/// What `cargo metadata` says of this machine's build, from what is already downloaded.
pub fn metadata() -> anyhow::Result<Value> {
    let version = crate::machine::answer(std::process::Command::new("rustc").arg("-vV")).context("rustc -vV")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let mut cargo = project::cargo();
    cargo.args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host]);
    let output = cargo.output()?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The names of the workspace's own crates.
pub fn ours(metadata: &Value) -> BTreeSet<&str> {
    let members: BTreeSet<&str> = list(metadata, "workspace_members").filter_map(Value::as_str).collect();
    packages(metadata).filter(|(id, _)| members.contains(id)).map(|(_, name)| name).collect()
}

/// Every package, ours or not: id and name.
pub fn packages(metadata: &Value) -> impl Iterator<Item = (&str, &str)> {
    list(metadata, "packages")
        .filter_map(|package| Some((package.get("id")?.as_str()?, package.get("name")?.as_str()?)))
}

pub fn findings(metadata: &Value) -> Vec<String> {
    let graph = Graph::new(metadata);
    let mut found = Vec::new();
    for (from, forbidden) in NEVER {
        for to in forbidden {
            if let Some(path) = graph.path(from, to) {
                found.push(format!("{from} may not reach {to}: {}", path.join(" → ")));
            }
        }
    }
    let ours = ours(metadata);
    let tested = ours.iter().map(|from| (*from, FOR_TESTS)).filter(|(from, to)| from != to);
    let libraries = ours.iter().filter(|from| !PROGRAMS.contains(*from)).map(|from| (*from, FOR_PROGRAMS));
    for (from, to) in tested.chain(libraries).chain(NEVER_ITSELF) {
        if graph.uses.get(from).is_some_and(|uses| uses.contains(to)) {
            found.push(format!("{from} may not depend on {to}"));
        }
    }
    found
}

/// Who uses whom in the program; what only tests use is left out.
struct Graph<'m> {
    uses: BTreeMap<&'m str, BTreeSet<&'m str>>,
}

impl<'m> Graph<'m> {
    fn new(metadata: &'m Value) -> Self {
        let names: BTreeMap<&str, &str> = packages(metadata).collect();
        let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let nodes = metadata.get("resolve").into_iter().flat_map(|resolve| list(resolve, "nodes"));
        for node in nodes {
            let name = |id: Option<&'m Value>| id.and_then(Value::as_str).and_then(|id| names.get(id).copied());
            let Some(from) = name(node.get("id")) else { continue };
            let used = list(node, "deps").filter(|dep| list(dep, "dep_kinds").any(is_for_the_program));
            uses.entry(from).or_default().extend(used.filter_map(|dep| name(dep.get("pkg"))));
        }
        Self { uses }
    }

    /// A shortest way from one crate to another.
    fn path(&self, from: &'m str, to: &str) -> Option<Vec<&'m str>> {
        let mut ways = vec![vec![from]];
        let mut seen = BTreeSet::from([from]);
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                for &next in way.last().and_then(|last| self.uses.get(last)).into_iter().flatten() {
                    let mut way = way.clone();
                    way.push(next);
                    if next == to {
                        return Some(way);
                    }
                    if seen.insert(next) {
                        longer.push(way);
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

fn is_for_the_program(kind: &Value) -> bool {
    kind.get("kind").and_then(Value::as_str) != Some("dev")
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `edges`: from, to, kind.
    fn planted(edges: &[(&str, &str, Option<&str>)]) -> Value {
        let names: BTreeSet<&str> = edges.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        let packages: Vec<_> = names.iter().map(|name| json!({"id": name, "name": name})).collect();
        let nodes = names.iter().map(|name| {
            let deps = edges.iter().filter(|(from, ..)| from == name);
            let deps = deps.map(|(_, to, kind)| json!({"pkg": to, "dep_kinds": [{"kind": kind}]}));
            json!({"id": name, "deps": deps.collect::<Vec<_>>()})
        });
        let nodes: Vec<_> = nodes.collect();
        let members: Vec<_> = names.iter().filter(|name| name.starts_with("gatewarden")).collect();
        json!({"packages": packages, "workspace_members": members, "resolve": {"nodes": nodes}})
    }

    #[test]
    fn a_forbidden_crate_is_found_behind_another() {
        let edges = [("gatewarden-gateway", "between", None), ("between", "sea-orm", Some("build"))];
        let found = findings(&planted(&edges));
        assert_eq!(found, ["gatewarden-gateway may not reach sea-orm: gatewarden-gateway → between → sea-orm"]);
    }

    #[test]
    fn what_only_tests_use_is_free() {
        assert!(findings(&planted(&[("gatewarden-access", "tokio", Some("dev"))])).is_empty());
        assert_eq!(findings(&planted(&[("gatewarden-access", "tokio", None)])).len(), 1);
    }

    #[test]
    fn web_reaches_the_store_only_through_control() {
        let through =
            [("gatewarden-web", "gatewarden-control", None), ("gatewarden-control", "gatewarden-store", None)];
        assert!(findings(&planted(&through)).is_empty());
        assert_eq!(findings(&planted(&[("gatewarden-web", "gatewarden-store", None)])).len(), 1);
    }

    #[test]
    fn the_machines_clock_is_for_programs() {
        assert_eq!(findings(&planted(&[("gatewarden-gateway", FOR_PROGRAMS, None)])).len(), 1);
        assert!(findings(&planted(&[("gatewarden", FOR_PROGRAMS, None)])).is_empty());
    }

    #[test]
    fn the_testkit_stays_in_tests() {
        assert_eq!(findings(&planted(&[("gatewarden-demo", FOR_TESTS, None)])).len(), 1);
        assert!(findings(&planted(&[("gatewarden-demo", FOR_TESTS, Some("dev"))])).is_empty());
    }
}
