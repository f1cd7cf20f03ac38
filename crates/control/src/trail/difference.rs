use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One field that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field; what is inside another stands after a dot, such as `levels.completions`.
    pub field: String,
    /// What it was; none where it was not there.
    pub was: Option<Value>,
    /// What it is; none where it is gone.
    pub is: Option<Value>,
}

/// The fields in which two images of a record differ, in the order of their names. A field that is null is not there;
/// neither is any field of a record that is not.
pub fn difference(before: Option<&Value>, after: Option<&Value>) -> Vec<FieldChange> {
    let (was, is) = (fields(before), fields(after));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let differ = names.into_iter().filter(|name| was.get(*name) != is.get(*name));
    let change = |name: &String| FieldChange {
        field: name.clone(),
        was: was.get(name).map(|value| (*value).clone()),
        is: is.get(name).map(|value| (*value).clone()),
    };
    differ.map(change).collect()
}

fn fields(image: Option<&Value>) -> BTreeMap<String, &Value> {
    let mut fields = BTreeMap::new();
    if let Some(image) = image {
        collect("", image, &mut fields);
    }
    fields
}

fn collect<'a>(name: &str, value: &'a Value, fields: &mut BTreeMap<String, &'a Value>) {
    match value {
        Value::Null => {}
        Value::Object(inner) => {
            for (key, value) in inner {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                collect(&name, value, fields);
            }
        }
        _ => drop(fields.insert(name.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(field: &str, was: Option<Value>, is: Option<Value>) -> FieldChange {
        FieldChange { field: field.to_owned(), was, is }
    }

    #[test]
    fn fields_that_differ_are_named_and_no_others() {
        let before = json!({"name": "a", "levels": {"keys": "read", "usage": "read"}, "expires": null, "id": 1});
        let after = json!({"name": "b", "levels": {"keys": "write"}, "expires": 5, "id": 1});
        assert_eq!(
            difference(Some(&before), Some(&after)),
            [
                change("expires", None, Some(json!(5))),
                change("levels.keys", Some(json!("read")), Some(json!("write"))),
                change("levels.usage", Some(json!("read")), None),
                change("name", Some(json!("a")), Some(json!("b"))),
            ]
        );
    }

    #[test]
    fn a_new_or_removed_record_differs_in_every_field() {
        let image = json!({"id": 1, "models": {"only": ["x"]}});
        assert_eq!(difference(None, Some(&image)).len(), 2);
        assert_eq!(difference(Some(&image), None)[1], change("models.only", Some(json!(["x"])), None));
        assert!(difference(Some(&image), Some(&image)).is_empty() && difference(None, None).is_empty());
    }
}
