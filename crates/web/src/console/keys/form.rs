//! The form for a new key: as it was sent, the command it asks for, and the same form drawn again.

use std::collections::BTreeSet;

use gatewarden_access::Facts;
use gatewarden_control::{
    FieldError,
    keys::{CreateKey, Draft, highest},
};
use gatewarden_types::{Feature, Id, Key, KeyOwner, Level, Levels, Limits, Model, ModelSet, Name, Timestamp};

use super::super::organizations::{REQUESTS, TOKENS, field, per_minute, word};
use crate::views::{Choice, Shell, keys as view};

/// What the owner is called where it is the organization.
const ORGANIZATION: &str = "organization";

/// The spans that are offered: days, and what people read.
const SPANS: [(&str, &str); 5] =
    [("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), ("never", "Never")];

/// The span that is proposed.
const USUAL_SPAN: &str = "30";

/// The form's fields by name: a name may come several times.
pub(super) struct Sent(pub(super) Vec<(String, String)>);

impl Sent {
    /// The form before anything was typed.
    pub(super) fn fresh(facts: &Facts) -> Self {
        let usual = Key::usual_levels();
        let given = |feature: &Feature| {
            let level = usual.get(feature).copied().unwrap_or_default().min(highest(facts, *feature));
            (name_of(*feature), level.word().to_owned())
        };
        let fixed =
            [("models", "all"), ("expires", USUAL_SPAN)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(Feature::ALL.iter().map(given).chain(fixed).collect())
    }

    /// What it asks for, or everything that is wrong with it. Levels are held against the draft's author, if there is one.
    pub(super) fn command(&self, draft: Option<&Draft>, now: Timestamp) -> Result<CreateKey, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let name: Option<Name> = word(&mut wrong, "name", self.one("name"));
        let owner = self.owner().map_err(|bad| wrong.push(bad)).ok();
        let levels = self.levels(draft.map(|draft| &draft.facts)).map_err(|bad| wrong.push(bad)).ok();
        let models = self.models().map_err(|bad| wrong.push(bad)).ok();
        let expires = self.expires(now).map_err(|bad| wrong.push(bad)).ok();
        let requests = per_minute(&mut wrong, REQUESTS, self.one(REQUESTS));
        let tokens = per_minute(&mut wrong, TOKENS, self.one(TOKENS));
        match (name, owner, levels, models, expires) {
            (Some(name), Some(owner), Some(levels), Some(models), Some(expires)) if wrong.is_empty() => {
                let limits = Limits { requests, tokens };
                Ok(CreateKey { name, owner, levels, models, limits, expires, once: None })
            }
            _ => Err(wrong),
        }
    }

    /// The form with what was typed, and what is wrong with it.
    pub(super) fn drawn(&self, shell: Shell, draft: &Draft, wrong: &[FieldError]) -> view::NewKey {
        let error = |name: &str| field(wrong, name, "").error;
        let chosen: BTreeSet<&str> = self.all("model").collect();
        let model = |model: &Model| {
            let value = model.id.to_string();
            Choice { chosen: chosen.contains(value.as_str()), label: model.name.to_string(), value }
        };
        let span = |(value, label): (&str, &str)| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen: self.one("expires") == value,
        };
        view::NewKey {
            name: field(wrong, "name", self.one("name")),
            owners: draft.owners.iter().map(|owner| self.owner_choice(*owner, &shell)).collect(),
            owner_error: error("owner"),
            features: Feature::ALL.iter().map(|feature| self.feature(*feature, &draft.facts)).collect(),
            levels_error: error("levels"),
            only_named: self.one("models") == "only",
            models: draft.models.iter().map(model).collect(),
            models_error: error("models"),
            requests: field(wrong, REQUESTS, self.one(REQUESTS)),
            tokens: field(wrong, TOKENS, self.one(TOKENS)),
            expiries: SPANS.map(span).to_vec(),
            expires_error: error("expires"),
            shell,
        }
    }

    fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// None for one's own.
    fn owner(&self) -> Result<Option<KeyOwner>, FieldError> {
        match self.one("owner") {
            "" => Ok(None),
            ORGANIZATION => Ok(Some(KeyOwner::Organization)),
            id => match id.parse() {
                Ok(member) => Ok(Some(KeyOwner::Member(member))),
                Err(_) => Err(wrong("owner", "Choose who owns it.")),
            },
        }
    }

    fn levels(&self, author: Option<&Facts>) -> Result<Levels, FieldError> {
        let (mut levels, mut beyond) = (Levels::new(), Vec::new());
        for feature in Feature::ALL {
            let Some(level) = self.level(*feature) else {
                return Err(wrong("levels", format!("{}: choose one of the four levels.", feature.label())));
            };
            let most = author.map_or(Level::Delete, |facts| highest(facts, *feature));
            if level > most {
                beyond.push(format!("{}: {} is the most that you can give.", feature.label(), seen(most).label()));
            }
            if level > Level::Disabled {
                levels.insert(*feature, level);
            }
        }
        if beyond.is_empty() { Ok(levels) } else { Err(wrong("levels", beyond.join(" "))) }
    }

    /// The level chosen for a feature; disabled where none is, and none where it is no level.
    fn level(&self, feature: Feature) -> Option<Level> {
        match self.one(&name_of(feature)) {
            "" => Some(Level::Disabled),
            word => Level::ALL.into_iter().find(|level| level.word() == word),
        }
    }

    fn models(&self) -> Result<ModelSet, FieldError> {
        match self.one("models") {
            "all" => Ok(ModelSet::All),
            "only" => {
                let named: Result<BTreeSet<Id<Model>>, _> = self.all("model").map(str::parse).collect();
                named.map(ModelSet::Only).map_err(|_| wrong("models", "Choose among the approved models."))
            }
            _ => Err(wrong("models", "Choose all approved models, or only some.")),
        }
    }

    fn expires(&self, now: Timestamp) -> Result<Option<Timestamp>, FieldError> {
        match self.one("expires") {
            "never" => Ok(None),
            days => match days.parse::<u32>() {
                Ok(days) => Ok(Some(now.plus_seconds(i64::from(days) * 86_400))),
                Err(_) => Err(wrong("expires", "Choose when it expires, or never.")),
            },
        }
    }

    fn owner_choice(&self, owner: KeyOwner, shell: &Shell) -> Choice {
        let (value, label) = match owner {
            KeyOwner::Organization => (ORGANIZATION.to_owned(), "The organization".to_owned()),
            KeyOwner::Member(member) => (member.to_string(), format!("{} (you)", shell.viewer.name)),
        };
        Choice { chosen: self.one("owner") == value, value, label }
    }

    fn feature(&self, feature: Feature, author: &Facts) -> view::FeatureLevel {
        let most = highest(author, feature);
        view::FeatureLevel {
            feature: feature.word().to_owned(),
            label: feature.label().to_owned(),
            hint: covers(feature).to_owned(),
            // A level that cannot be chosen is not sent either: the most that can be is.
            level: seen(self.level(feature).unwrap_or_default().min(most)),
            highest: seen(most),
        }
    }
}

fn wrong(field: &'static str, message: impl Into<String>) -> FieldError {
    FieldError { field, message: message.into() }
}

fn name_of(feature: Feature) -> String {
    format!("level.{}", feature.word())
}

fn seen(level: Level) -> view::Level {
    match level {
        Level::Disabled => view::Level::Disabled,
        Level::Read => view::Level::Read,
        Level::Write => view::Level::Write,
        Level::Delete => view::Level::Delete,
    }
}

/// What a feature covers, in one line.
fn covers(feature: Feature) -> &'static str {
    match feature {
        Feature::Completions => "Calling models through the gateway",
        Feature::Models => "Which models may be called",
        Feature::Prompts => "Saved prompts and their versions",
        Feature::Metrics => "Figures of the gateway itself",
        Feature::Usage => "Calls, tokens and latency",
        Feature::Members => "People, their roles and invites",
        Feature::Providers => "Addresses of providers and their secrets",
        Feature::Keys => "Keys like this one",
        Feature::Trail => "Everything that was changed",
        Feature::Organization => "Its name and settings",
    }
}
