//! What stands around each page: places, organizations, the viewer, the toast.

/// The frame of a page for someone who is signed in.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// The organization at hand; none on pages about the account.
    pub organization: Option<Mark>,
    /// Where the page is.
    pub current: Place,
    /// The places of the organization that this person may open, in any order.
    pub open: Vec<OpenPlace>,
    /// Acts for the command palette beside the places.
    pub acts: Vec<Act>,
    /// Every organization this person is a member of, for the switcher.
    pub organizations: Vec<OrganizationChoice>,
    /// Who looks.
    pub viewer: Viewer,
    /// Goes into each form as `csrf`.
    pub csrf: String,
    /// Names this drawing of the page: goes as `once` into each form that makes something, so that a form sent twice
    /// makes it once.
    pub once: String,
    /// What just happened.
    pub notice: Option<Notice>,
    /// From the cookie `theme`.
    pub theme: Theme,
}

/// The frame of a page for someone who is not signed in.
#[derive(Clone, Debug, Default)]
pub struct Bare {
    /// Goes into each form as `csrf`.
    pub csrf: String,
    /// What just happened.
    pub notice: Option<Notice>,
    /// From the cookie `theme`.
    pub theme: Theme,
}

/// An organization as its name and slug.
#[derive(Clone, Debug, Default)]
pub struct Mark {
    /// Its part of the URL.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// An entry of the switcher.
#[derive(Clone, Debug, Default)]
pub struct OrganizationChoice {
    /// Its part of the URL.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The viewer's role there, as people read it.
    pub role: String,
    /// Whether it is the one at hand.
    pub current: bool,
}

/// The person who looks.
#[derive(Clone, Debug, Default)]
pub struct Viewer {
    /// Name as shown.
    pub name: String,
    /// Address the person signs in with.
    pub email: String,
}

/// A place of the console, as listed at the side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Figures and charts.
    Overview,
    /// API keys.
    Keys,
    /// Approved models.
    Models,
    /// Providers.
    Providers,
    /// Where calls are answered.
    Gateways,
    /// Members and invites.
    Members,
    /// The trail.
    Trail,
    /// The organization's settings.
    Settings,
    /// The viewer's organizations.
    #[default]
    Organizations,
    /// The viewer's account.
    Account,
}

/// The places of an organization as they are grouped at the side.
const GROUPS: [(&str, &[Place]); 4] = [
    ("", &[Place::Overview]),
    ("Build", &[Place::Keys, Place::Models, Place::Providers, Place::Gateways]),
    ("People", &[Place::Members]),
    ("Govern", &[Place::Trail, Place::Settings]),
];

impl Place {
    /// What people read.
    pub fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Keys => "API keys",
            Self::Models => "Models",
            Self::Providers => "Providers",
            Self::Gateways => "Gateways",
            Self::Members => "Members",
            Self::Trail => "Trail",
            Self::Settings => "Settings",
            Self::Organizations => "Organizations",
            Self::Account => "Your account",
        }
    }

    /// The icon's name in the sprite.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Overview => "house",
            Self::Keys => "key-round",
            Self::Models => "boxes",
            Self::Providers => "plug",
            Self::Gateways => "server",
            Self::Members => "users",
            Self::Trail => "scroll-text",
            Self::Settings => "settings",
            Self::Organizations => "building-2",
            Self::Account => "user-round",
        }
    }

    /// Its URL, in the organization called `slug` where it belongs to one.
    pub fn href(self, slug: &str) -> String {
        match self {
            Self::Overview => format!("/o/{slug}"),
            Self::Keys => format!("/o/{slug}/keys"),
            Self::Models => format!("/o/{slug}/models"),
            Self::Providers => format!("/o/{slug}/providers"),
            Self::Gateways => format!("/o/{slug}/gateways"),
            Self::Members => format!("/o/{slug}/members"),
            Self::Trail => format!("/o/{slug}/trail"),
            Self::Settings => format!("/o/{slug}/settings"),
            Self::Organizations => "/organizations".to_owned(),
            Self::Account => "/account".to_owned(),
        }
    }
}

/// A place this person may open.
#[derive(Clone, Debug)]
pub struct OpenPlace {
    /// Which.
    pub place: Place,
    /// How many things are there, where that is worth a word.
    pub count: Option<String>,
}

/// A group of places at the side.
pub struct Group<'a> {
    /// Its heading; empty for the first.
    pub label: &'static str,
    /// What may be opened of it.
    pub places: Vec<&'a OpenPlace>,
}

/// Something to do, offered by the command palette.
#[derive(Clone, Debug, Default)]
pub struct Act {
    /// What it does: `Invite people`.
    pub label: String,
    /// Where it is done.
    pub href: String,
}

/// What just happened, as a toast.
#[derive(Clone, Debug, Default)]
pub struct Notice {
    /// How it went.
    pub tone: Tone,
    /// What is now true, in one sentence.
    pub text: String,
    /// How to take it back.
    pub undo: Option<Undo>,
}

/// The form behind a toast's Undo.
#[derive(Clone, Debug, Default)]
pub struct Undo {
    /// Where it is posted.
    pub action: String,
    /// Its hidden fields, besides `csrf`.
    pub fields: Vec<(String, String)>,
    /// What htmx swaps with the answer, as a selector; empty for the whole page.
    pub target: String,
}

/// How something went. Colour never says it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As wished.
    #[default]
    Good,
    /// Worth knowing.
    Info,
    /// Not as wished.
    Bad,
}

impl Tone {
    /// The class that colours it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Info => "info",
            Self::Bad => "bad",
        }
    }

    /// The icon beside the words.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Good => "check",
            Self::Info => "info",
            Self::Bad => "circle-alert",
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the device has it.
    #[default]
    System,
    /// Light, whatever the device has.
    Light,
    /// Dark, whatever the device has.
    Dark,
}

impl Theme {
    /// Reads the cookie's value; anything unknown follows the device.
    pub fn from_cookie(value: &str) -> Self {
        match value {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The cookie's value.
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Shell {
    /// The slug of the organization at hand; empty on pages about the account.
    pub fn slug(&self) -> &str {
        self.organization.as_ref().map_or("", |organization| organization.slug.as_str())
    }

    /// The name of the organization at hand, or of the program.
    pub fn name(&self) -> &str {
        self.organization.as_ref().map_or("Gatewarden", |organization| organization.name.as_str())
    }

    /// Whether the page is at this place.
    pub fn is_at(&self, place: &Place) -> bool {
        self.current == *place
    }

    /// The places to list at the side, grouped and in order; groups with nothing to open are left out.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let find = |place: &Place| self.open.iter().find(|open| open.place == *place);
        let group = |(label, places): (&'static str, &[Place])| Group {
            label,
            places: places.iter().filter_map(find).collect(),
        };
        GROUPS.into_iter().map(group).filter(|group| !group.places.is_empty()).collect()
    }
}

/// One or two letters for an avatar: the first of the first and of the last word.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
    let first = words.next();
    first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_take_the_first_and_the_last_word() {
        assert_eq!(initials("Ada Lindqvist"), "AL");
        assert_eq!(initials("Jean de la Fontaine"), "JF");
        assert_eq!(initials("terraform"), "T");
        assert_eq!(initials(" (élan) "), "É");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn groups_without_an_open_place_are_left_out() {
        let open = |place| OpenPlace { place, count: None };
        let shell = Shell { open: vec![open(Place::Trail), open(Place::Overview)], ..Shell::default() };
        let labels: Vec<_> = shell.groups().iter().map(|group| group.label).collect();
        assert_eq!(labels, ["", "Govern"]);
    }
}
