use std::path::PathBuf;

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Toml},
    util::nest,
    value::{Dict, Map, Value},
};

use super::{
    keys::{ALL, PREFIX},
    reader::{Mistake, Reader},
};

/// The file that is read when it is there and no other is named.
const FILE: &str = "gatewarden.toml";

/// Where settings are read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that was named; it has to be there.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Names of settings and the values that flags gave them.
    pub flags: Vec<(&'static str, String)>,
}

impl Sources {
    /// An environment variable, where it is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environment.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a flag gives this setting.
    pub fn has_flag(&self, name: &str) -> bool {
        self.flags.iter().any(|(given, _)| *given == name)
    }

    pub(super) fn merge(&self) -> Reader {
        let mut reader = Reader::new(self.defaults());
        self.add_file(&mut reader);
        for (name, value) in &self.environment {
            if let Some(key) = name.strip_prefix(PREFIX).filter(|_| !value.is_empty()) {
                let key = key.to_lowercase().replace("__", ".");
                reader.add(Given { origin: format!("environment variable {name}"), key, value: value.clone() });
            }
        }
        for (name, value) in &self.flags {
            let flag = ALL.iter().find(|key| key.name == *name).and_then(|key| key.flag).unwrap_or(name);
            reader.add(Given { origin: format!("flag {flag}"), key: (*name).to_owned(), value: value.clone() });
        }
        reader
    }

    fn defaults(&self) -> Figment {
        let given = ALL.iter().filter_map(|key| Some((key.name, key.default?)));
        given.fold(Figment::new(), |figment, (key, value)| {
            figment.merge(Given { origin: "default".to_owned(), key: key.to_owned(), value: value.to_owned() })
        })
    }

    fn add_file(&self, reader: &mut Reader) {
        let path = self.file.clone().unwrap_or_else(|| PathBuf::from(FILE));
        let origin = format!("file {}", path.display());
        if !path.is_file() {
            if self.file.is_some() {
                reader.blame(Mistake { origin, key: None, message: "There is no such file.".to_owned() });
            }
            return;
        }
        let file = Toml::file_exact(&path);
        // A file that cannot be read must not hide what is wrong elsewhere.
        match file.data() {
            Ok(_) => reader.add(file),
            Err(bad) => {
                let message = format!("It cannot be read: {}.", bad.to_string().trim_end_matches(['.', '\n']));
                reader.blame(Mistake { origin, key: None, message });
            }
        }
    }
}

/// One value and who gave it.
struct Given {
    origin: String,
    key: String,
    value: String,
}

impl Provider for Given {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = nest(&self.key, Value::from(self.value.clone())).into_dict().unwrap_or_default();
        Ok(Profile::Default.collect(dict))
    }
}
