//! Names that say nothing: a folder for everything is where a second idea hides.

use serde_json::Value;

use super::crates;
use super::source::{Source, words};

const EMPTY: [&str; 6] = ["utils", "util", "common", "helpers", "helper", "misc"];

pub fn findings(metadata: &Value, sources: &[Source]) -> Vec<String> {
    let says_nothing = |name: &str| EMPTY.contains(&name);
    let mut found = Vec::new();
    for name in crates::ours(metadata) {
        if name.split('-').any(says_nothing) {
            found.push(format!("the crate {name} has a name that says nothing"));
        }
    }
    for source in sources {
        if source.path.trim_end_matches(".rs").split('/').any(says_nothing) {
            found.push(format!("{} has a name that says nothing", source.path));
        }
        for at in words(&source.code, "mod") {
            let rest = source.code.get(at + "mod".len()..).unwrap_or_default();
            let name = rest.trim_start().split([' ', ';', '{', '\n']).next().unwrap_or_default();
            if rest.starts_with(' ') && says_nothing(name) {
                found.push(format!(
                    "{}:{}: the module {name} has a name that says nothing",
                    source.path,
                    source.line(at)
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_that_say_nothing_are_found() {
        let package = |name: &str| json!({"id": name, "name": name});
        let metadata = json!({
            "packages": [package("gatewarden-common"), package("tokio-util")],
            "workspace_members": ["gatewarden-common"],
        });
        let sources = [
            Source::new("crates/web/src/helpers/row.rs", ""),
            Source::new("crates/web/src/lib.rs", "mod common;\nmod members;\nmod misc { }"),
        ];
        assert_eq!(findings(&metadata, &sources).len(), 4);
    }
}
