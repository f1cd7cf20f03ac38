//! What holds for every view in every state.

use std::collections::BTreeSet;

use super::samples::{self, ATTACK, Sample};
use crate::assets;

/// An element's opening tag: its name and its attributes with their raw values.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads tags as a browser does: a quoted value ends at its quote, and text holds no `<`.
fn tags(html: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (inside, left) = until_end(after);
        rest = left;
        let name: String = inside.chars().take_while(|letter| !letter.is_whitespace() && *letter != '>').collect();
        let attributes = attributes(&inside[name.len()..]);
        found.push(Tag { name: name.trim_end_matches('/').to_owned(), attributes });
    }
    found
}

fn until_end(text: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '>') => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn attributes(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    loop {
        text = text.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '/');
        if text.is_empty() {
            return found;
        }
        let end = text.find(|letter: char| letter.is_whitespace() || letter == '=').unwrap_or(text.len());
        let name = text[..end].to_owned();
        text = &text[end..];
        let mut value = String::new();
        if let Some(after) = text.strip_prefix('=') {
            let quote = after.chars().next().filter(|letter| "\"'".contains(*letter)).expect("values are quoted");
            let (inner, left) = after[1..].split_once(quote).expect("the quote ends");
            inner.clone_into(&mut value);
            text = left;
        }
        found.push((name, value));
    }
}

fn each(check: impl Fn(&Sample, &[Tag])) {
    for sample in samples::all(false) {
        check(&sample, &tags(&sample.html));
    }
}

#[test]
fn hostile_text_changes_no_markup() {
    let shape = |html: &str| -> Vec<String> {
        let names = |tag: &Tag| tag.attributes.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
        tags(html).iter().map(|tag| format!("{} {}", tag.name, names(tag))).collect()
    };
    for (plain, hostile) in samples::all(false).into_iter().zip(samples::all(true)) {
        assert!(!hostile.html.contains(ATTACK), "{}", plain.name);
        assert_eq!(shape(&plain.html), shape(&hostile.html), "{}", plain.name);
    }
}

#[test]
fn every_control_has_a_label() {
    each(|sample, tags| {
        let labelled: BTreeSet<_> =
            tags.iter().filter(|tag| tag.name == "label").filter_map(|tag| tag.get("for")).collect();
        let mut in_label = false;
        for tag in tags {
            match tag.name.as_str() {
                "label" => in_label = tag.get("for").is_none(),
                "/label" => in_label = false,
                "input" | "select" | "textarea" if tag.get("type") != Some("hidden") => {
                    let named =
                        tag.get("aria-label").is_some() || tag.get("id").is_some_and(|id| labelled.contains(id));
                    assert!(in_label || named, "{}: {:?}", sample.name, tag.attributes);
                }
                _ => {}
            }
        }
    });
}

#[test]
fn ids_are_unique_and_what_points_at_one_finds_it() {
    each(|sample, tags| {
        let mut ids = BTreeSet::new();
        for id in tags.iter().filter_map(|tag| tag.get("id")) {
            assert!(ids.insert(id), "{}: {id} twice", sample.name);
        }
        let points = ["popovertarget", "for", "list", "data-copy", "data-slug-of", "aria-labelledby"];
        for (name, value) in
            tags.iter().flat_map(|tag| &tag.attributes).filter(|(name, _)| points.contains(&name.as_str()))
        {
            assert!(ids.contains(value.as_str()), "{}: {name}={value}", sample.name);
        }
    });
}

#[test]
fn nothing_needs_more_than_the_strict_policy_allows() {
    each(|sample, tags| {
        for tag in tags {
            assert!(tag.name != "style", "{}", sample.name);
            assert!(tag.name != "script" || tag.get("src").is_some(), "{}", sample.name);
            for (name, value) in &tag.attributes {
                let inline = name == "style"
                    || name.starts_with("on")
                    || name.starts_with("hx-on")
                    || value.starts_with("js:")
                    || name == "hx-trigger" && value.contains('[');
                assert!(!inline, "{}: {name}={value}", sample.name);
                assert!(!value.contains("javascript:") && !value.starts_with("//"), "{}: {name}={value}", sample.name);
            }
        }
    });
}

#[test]
fn forms_that_change_something_carry_the_token_and_work_without_a_script() {
    each(|sample, tags| {
        for (at, form) in
            tags.iter().enumerate().filter(|(_, tag)| tag.name == "form" && tag.get("method") == Some("post"))
        {
            let inside = || tags[at..].iter().take_while(|tag| tag.name != "/form");
            if inside().any(|tag| tag.name == "fieldset" && tag.get("disabled").is_some()) {
                continue;
            }
            assert!(inside().any(|tag| tag.get("name") == Some("csrf")), "{}: {:?}", sample.name, form.attributes);
            assert!(
                inside().any(|tag| tag.name == "button" && tag.get("type").is_none()),
                "{}: {:?}",
                sample.name,
                form.attributes
            );
            assert!(form.get("hx-post").is_none_or(|to| Some(to) == form.get("action")), "{}", sample.name);
        }
    });
}

#[test]
fn every_file_and_icon_a_page_names_is_embedded() {
    let urls: BTreeSet<_> = assets::all().map(|(_, asset)| asset.url.as_str()).collect();
    each(|sample, tags| {
        for tag in tags.iter().filter(|tag| ["link", "script", "use", "img"].contains(&tag.name.as_str())) {
            let to = tag.get("href").or(tag.get("src")).unwrap_or_default();
            let (file, icon) = to.split_once('#').map_or((to, None), |(file, icon)| (file, Some(icon)));
            assert!(urls.contains(file), "{}: {to}", sample.name);
            assert!(icon.is_none_or(|icon| assets::icons().contains(&icon)), "{}: {to}", sample.name);
        }
    });
}

#[test]
fn pages_are_whole() {
    each(|sample, tags| {
        let count = |name: &str| tags.iter().filter(|tag| tag.name == name).count();
        let whole = if sample.page { [1, 1, 1] } else { [0, 0, 0] };
        assert_eq!([count("html"), count("main"), count("h1")], whole, "{}", sample.name);
        for name in [
            "div", "form", "table", "tr", "span", "a", "button", "ul", "li", "section", "svg", "p", "label", "fieldset",
        ] {
            assert_eq!(count(name), count(&format!("/{name}")), "{}: <{name}>", sample.name);
        }
    });
}

#[test]
fn no_template_lets_text_through_unescaped() {
    fn walk(folder: &std::path::Path, check: &impl Fn(&std::path::Path, &str)) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, check) } else { check(&path, &std::fs::read_to_string(&path).unwrap()) }
        }
    }
    walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates"), &|path, text| {
        assert!(!text.contains("|safe") && !text.contains("| safe") && !text.contains("escape("), "{}", path.display());
    });
}
