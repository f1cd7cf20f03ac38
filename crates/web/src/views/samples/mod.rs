//! Every view in every state, with made-up people and figures. Each text goes through [`t`], so that a test can make all of them hostile.

mod console;
mod gate;
mod gateways;
mod records;

use std::cell::Cell;

use askama::Template;

use super::*;
use crate::charts::{Area, Point};

thread_local! {
    static HOSTILE: Cell<bool> = const { Cell::new(false) };
}

/// What a hostile text ends with.
pub(super) const ATTACK: &str = "<script src=//x></script>\"'><img onerror=x>&amp;";

/// A view drawn in one state.
pub(super) struct Sample {
    /// Area, view and state: `members-full`.
    pub(super) name: String,
    /// Whether it is a whole page and not a fragment.
    pub(super) page: bool,
    /// The HTML.
    pub(super) html: String,
}

/// Every sample, with plain or with hostile texts.
pub(super) fn all(hostile: bool) -> Vec<Sample> {
    HOSTILE.set(hostile);
    let samples = [gate::all(), console::all(), records::all(), gateways::all()].concat();
    HOSTILE.set(false);
    samples
        .into_iter()
        .map(|(name, html)| Sample { page: html.trim_start().starts_with("<!doctype"), name, html })
        .collect()
}

type Drawn = Vec<(String, String)>;

#[expect(clippy::needless_pass_by_value, reason = "samples are made where they are drawn")]
fn draw(area: &str, views: Vec<(&str, impl Template)>) -> Drawn {
    views.iter().map(|(state, view)| (format!("{area}-{state}"), view.render().unwrap())).collect()
}

fn t(text: &str) -> String {
    if HOSTILE.get() { format!("{text}{ATTACK}") } else { text.to_owned() }
}

fn choices(all: &[&str], chosen: usize) -> Vec<Choice> {
    let choice =
        |(at, label): (usize, &&str)| Choice { value: t(&label.to_lowercase()), label: t(label), chosen: at == chosen };
    all.iter().enumerate().map(choice).collect()
}

fn bare() -> Bare {
    Bare { csrf: t("c5f"), notice: None, theme: Theme::System }
}

fn shell(current: Place) -> Shell {
    let open = |place, count: &str| OpenPlace { place, count: (!count.is_empty()).then(|| t(count)) };
    let choice = |slug: &str, name: &str, role: &str, current| OrganizationChoice {
        slug: slug.into(),
        name: t(name),
        role: t(role),
        current,
    };
    Shell {
        organization: Some(Mark { slug: "acme".into(), name: t("Acme Research") }),
        current,
        open: vec![
            open(Place::Overview, ""),
            open(Place::Keys, ""),
            open(Place::Models, "4"),
            open(Place::Providers, ""),
            open(Place::Gateways, ""),
            open(Place::Members, "248"),
            open(Place::Trail, ""),
            open(Place::Settings, ""),
        ],
        acts: vec![
            Act { label: t("Invite people"), href: "/o/acme/invites/new".into() },
            Act { label: t("Create key"), href: "/o/acme/keys/new".into() },
        ],
        organizations: vec![
            choice("acme", "Acme Research", "Owner", true),
            choice("tide", "Tidewater Labs", "Viewer", false),
        ],
        viewer: Viewer { name: t("Ada Lindqvist"), email: t("ada@acme.example") },
        csrf: t("c5f"),
        once: String::new(),
        notice: None,
        theme: Theme::System,
    }
}

fn alone(current: Place) -> Shell {
    Shell { organization: None, open: Vec::new(), acts: Vec::new(), current, ..shell(current) }
}

#[expect(clippy::unnecessary_wraps, reason = "it fills a field that may be empty")]
fn notice(tone: Tone, text: &str, undo: bool) -> Option<Notice> {
    let undo = undo.then(|| Undo {
        action: "/o/acme/members/mem_3/role".into(),
        fields: vec![("role".into(), t("member")), ("version".into(), t("18202"))],
        target: "#member-mem_3".into(),
    });
    Some(Notice { tone, text: t(text), undo })
}

fn month(highest: u64) -> Area {
    let points = (0..31u64).map(|day| {
        let date = if day < 10 { format!("{} Oct", day + 22) } else { format!("{} Nov", day - 9) };
        Point { label: t(&date), value: highest * (20 + 2 * day + (day * 7) % 11) / 92 }
    });
    Area { label: t("Calls a day, rising from 12 k to 68 k"), unit: t("Calls"), points: points.collect() }
}

fn paging() -> Paging {
    Paging {
        total: t("248 people"),
        shown: t("1–50 of 248"),
        previous: None,
        next: Some("/o/acme/members?after=x".into()),
    }
}
