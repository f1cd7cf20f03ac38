//! The shape of the code, checked: which crate may know which, what may be called where, and that the
//! documents name things that exist. Each checker has a twin test that plants the defect it is there for.

mod crates;
mod document;
mod names;
mod places;
mod source;

use anyhow::Context;

use crate::project;
use source::Source;

/// Prints what breaks the shape; true when nothing does.
pub fn run() -> anyhow::Result<bool> {
    let found = findings()?;
    for finding in &found {
        println!("{finding}");
    }
    println!("{} findings", found.len());
    Ok(found.is_empty())
}

fn findings() -> anyhow::Result<Vec<String>> {
    let metadata = crates::metadata()?;
    let sources = sources()?;
    let mut found = crates::findings(&metadata);
    found.extend(names::findings(&metadata, &sources));
    found.extend(places::findings(&sources));
    let known = document::Known::new(&sources, &metadata)?;
    for document in project::files("", &[".md"])? {
        let text = std::fs::read_to_string(&document)?;
        found.extend(document::findings(&project::relative(&document), &text, &known));
    }
    Ok(found)
}

fn sources() -> anyhow::Result<Vec<Source>> {
    project::files("", &[".rs"])?
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            Ok(Source::new(project::relative(&path), &text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_project_keeps_its_shape() {
        assert_eq!(super::findings().unwrap(), Vec::<String>::new());
    }
}
