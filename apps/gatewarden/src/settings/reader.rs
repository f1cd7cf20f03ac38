use std::{collections::BTreeMap, fmt};

use figment::{
    Figment, Provider, Source,
    value::{Dict, Tag, Value},
};

use super::keys::Key;

/// A setting that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it came from: a file, an environment variable, a flag.
    pub origin: String,
    /// Which setting, and what was given where that may be shown.
    pub key: Option<String>,
    /// What is wrong and the way out, as sentences.
    pub message: String,
}

/// Every setting that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("a setting cannot be taken:")?,
            many => write!(f, "{many} settings cannot be taken:")?,
        }
        for Mistake { origin, key, message } in &self.0 {
            match key {
                Some(key) => write!(f, "\n\n  {key}   ({origin})\n    {message}")?,
                None => write!(f, "\n\n  {origin}\n    {message}")?,
            }
        }
        Ok(())
    }
}

/// Reads settings one by one and remembers every mistake.
pub struct Reader {
    merged: Figment,
    mistakes: Vec<Mistake>,
}

impl Reader {
    pub fn new(merged: Figment) -> Self {
        Self { merged, mistakes: Vec::new() }
    }

    pub fn add(&mut self, provider: impl Provider) {
        self.merged = std::mem::take(&mut self.merged).merge(provider);
    }

    pub fn blame(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// Blames what a setting says, however good it is by itself.
    pub fn blame_key(&mut self, key: &'static Key, message: impl Into<String>) {
        let (origin, shown) = match self.merged.find_value(key.name) {
            Ok(value) => (self.origin(value.tag()), show(key, &value)),
            Err(_) => ("not given".to_owned(), key.name.to_owned()),
        };
        self.blame(Mistake { origin, key: Some(shown), message: message.into() });
    }

    /// Whether anyone gave it, however badly.
    pub fn given(&self, key: &'static Key) -> bool {
        self.merged.find_value(key.name).is_ok()
    }

    /// Reads a setting that may be missing.
    pub fn read<T, E: fmt::Display>(&mut self, key: &'static Key, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        let value = self.merged.find_value(key.name).ok()?;
        let Some(text) = text(&value) else {
            self.blame_key(key, "Give one value here, not a list or a table.");
            return None;
        };
        parse(&text).map_err(|bad| self.blame_key(key, bad.to_string())).ok()
    }

    /// Reads a list: in a file an array, elsewhere with commas between.
    pub fn read_list<T, E: fmt::Display>(&mut self, key: &'static Key, parse: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        let texts: Option<Vec<String>> = match self.merged.find_value(key.name) {
            Err(_) => return Vec::new(),
            Ok(Value::Array(_, values)) => values.iter().map(text).collect(),
            Ok(value) => text(&value).map(|one| one.split(',').map(|part| part.trim().to_owned()).collect()),
        };
        let texts = texts.unwrap_or_else(|| {
            self.blame_key(key, "Give a list of texts here.");
            Vec::new()
        });
        let mut read = Vec::new();
        for text in texts.iter().filter(|text| !text.is_empty()) {
            match parse(text) {
                Ok(value) => read.push(value),
                Err(bad) => self.blame_key(key, bad.to_string()),
            }
        }
        read
    }

    /// The settings, or everything that is wrong with them.
    pub fn finish<T>(mut self, read: Option<T>) -> Result<T, Mistakes> {
        let data = self.merged.data().ok().and_then(|mut profiles| profiles.remove(self.merged.profile()));
        let mut given = BTreeMap::new();
        leaves("", &data.unwrap_or_default(), &mut given);
        for (name, tag) in given.iter().filter(|(name, _)| Key::named(name).is_none()) {
            let hint = match Key::like(name) {
                Some(key) => format!("Did you mean {} ({})?", key.name, key.variable()),
                None => "Take it out, or look its name up in the README.".to_owned(),
            };
            let message = format!("There is no such setting. {hint}");
            self.mistakes.push(Mistake { origin: self.origin(*tag), key: Some(name.clone()), message });
        }
        match read {
            Some(read) if self.mistakes.is_empty() => Ok(read),
            _ => Err(Mistakes(self.mistakes)),
        }
    }

    fn origin(&self, tag: Tag) -> String {
        let Some(metadata) = self.merged.get_metadata(tag) else { return "default".to_owned() };
        match &metadata.source {
            Some(Source::File(path)) => format!("file {}", path.display()),
            _ => metadata.name.to_string(),
        }
    }
}

fn show(key: &Key, value: &Value) -> String {
    match text(value) {
        Some(text) if !key.secret => format!("{} = {text:?}", key.name),
        _ => key.name.to_owned(),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, letter) => Some(letter.to_string()),
        Value::Bool(_, truth) => Some(truth.to_string()),
        Value::Num(_, number) => number.to_i128().map(|whole| whole.to_string()),
        _ => None,
    }
}

fn leaves(prefix: &str, dict: &Dict, found: &mut BTreeMap<String, Tag>) {
    for (name, value) in dict {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) => leaves(&path, inner, found),
            leaf => {
                found.insert(path, leaf.tag());
            }
        }
    }
}
