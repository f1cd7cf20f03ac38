//! Providers, models, keys, the trail.

use super::*;
use crate::views::keys::{FeatureLevel, KeyRow, KeyState, Keys, Level, NewKey, NewSecret};
use crate::views::models::{ModelRow, Models};
use crate::views::providers::{ProviderForm, ProviderRow, Providers, TestResult};
use crate::views::trail::{Change, ChangedRecord, Entry, EntryRow, Trail};

pub(super) fn all() -> Drawn {
    [providers(), models(), keys(), new_keys(), trail()].concat()
}

fn providers() -> Drawn {
    let row = |id: &str, name: &str, url: &str, has_secret| ProviderRow {
        id: id.into(),
        name: t(name),
        kind: t("OpenAI-compatible"),
        base_url: t(url),
        models: 3,
        has_secret,
        changed: t("12 days ago"),
        can_test: true,
    };
    let rows = vec![
        row("pro_1", "OpenAI", "https://api.openai.com/v1", true),
        row("pro_2", "Own cluster", "https://models.acme.example/v1", false),
    ];
    let full = Providers { shell: shell(Place::Providers), rows, can_add: true };
    let empty = Providers { rows: Vec::new(), ..full.clone() };
    let works = TestResult {
        provider: t("OpenAI"),
        works: true,
        text: t("Answered in 212 ms with 14 models."),
        helps: String::new(),
        found: vec![(t("gpt-4o"), "/o/acme/models?upstream=gpt-4o".into()), (t("gpt-4o-mini"), String::new())],
        more: t("and 12 more"),
    };
    let fails = TestResult {
        provider: t("OpenAI"),
        works: false,
        text: t("401: the secret is not accepted."),
        helps: t("Save a new secret and test again."),
        found: Vec::new(),
        more: String::new(),
    };
    let kinds = |anthropic: bool| {
        let choice = |label: &str, chosen| Choice { value: label.to_lowercase(), label: t(label), chosen };
        vec![choice("OpenAI-compatible", !anthropic), choice("Anthropic", anthropic)]
    };
    let edit = ProviderForm {
        shell: shell(Place::Providers),
        id: Some("pro_1".into()),
        version: t("41"),
        name: Field::of(t("OpenAI")),
        kinds: kinds(false),
        base_url: Field::of(t("https://api.openai.com/v1")),
        has_secret: true,
        models: vec![t("gpt-4o"), t("gpt-4o-mini")],
        keys: 2,
        test: Some(works.clone()),
        can_edit: true,
        can_test: true,
        can_remove: true,
        ..ProviderForm::default()
    };
    let again = ProviderForm {
        secret_again: true,
        erase: true,
        secret_error: t("The secret is missing."),
        test: Some(fails.clone()),
        ..edit.clone()
    };
    let read = ProviderForm { can_edit: false, can_test: false, can_remove: false, test: None, ..edit.clone() };
    let new = ProviderForm {
        shell: shell(Place::Providers),
        kinds: kinds(true),
        base_url: Field::of(t("http://10.0.0.1")).wrong(t("A private address: the operator has to allow it.")),
        can_edit: true,
        ..ProviderForm::default()
    };
    [
        draw("providers", vec![("empty", empty), ("full", full)]),
        draw("provider", vec![("new", new), ("secret-again", again), ("read-only", read), ("edit", edit)]),
        draw("provider-test", vec![("works", works), ("fails", fails)]),
    ]
    .concat()
}

fn models() -> Drawn {
    let row = |id: &str, name: &str, provider: &str| ModelRow {
        id: id.into(),
        name: t(name),
        provider: t(provider),
        upstream: t(&format!("{name}-2026-08")),
        since: t("3 June"),
        calls: t("41,207"),
        keys: 1,
        version: t("9"),
        can_withdraw: true,
    };
    let full = Models {
        shell: shell(Place::Models),
        rows: vec![
            row("mod_1", "gpt-4o-mini", "OpenAI"),
            row("mod_2", "claude-sonnet", "Own cluster"),
            row("mod_3", "text-embedding-3", "OpenAI"),
        ],
        can_approve: true,
        providers: choices(&["OpenAI", "Own cluster"], 0),
        provider_error: String::new(),
        name: Field::default(),
        upstream: Field::default(),
        own_calls: false,
    };
    let wrong = Models {
        name: Field::of(t("gpt 4o")).wrong(t("No spaces, please.")),
        upstream: Field::of("").wrong(t("This is missing.")),
        provider_error: t("There is no such provider."),
        own_calls: true,
        ..full.clone()
    };
    let empty = Models { rows: Vec::new(), providers: Vec::new(), ..full.clone() };
    let read = Models { rows: Vec::new(), can_approve: false, ..full.clone() };
    draw("models", vec![("empty", empty), ("read-only", read), ("wrong", wrong), ("full", full)])
}

fn key(at: usize, name: &str, state: KeyState, last_used: &str) -> KeyRow {
    let acts = state != KeyState::Revoked;
    KeyRow {
        id: format!("key_{at}"),
        name: t(name),
        starts: t(&format!("gwk_{at}fA9k2…")),
        owner: t(if at == 1 { "the organization" } else { "Ada Lindqvist" }),
        levels: t(if at == 1 { "everything" } else { "completions, models" }),
        models: t(if at == 2 { "gpt-4o-mini, gpt-4o" } else { "all" }),
        expires: t(if at == 1 { "never" } else { "in 30 days" }),
        last_used: t(last_used),
        state,
        version: t("3"),
        can_rotate: acts,
        can_revoke: acts,
    }
}

fn keys() -> Drawn {
    let full = Keys {
        shell: shell(Place::Keys),
        search: String::new(),
        state_filter: choices(&["Any state", "Active", "Expired", "Revoked"], 0),
        rows: vec![
            key(1, "Master key", KeyState::Active, "2 min ago"),
            key(2, "Support bot", KeyState::Active, "1 h ago"),
            key(3, "Laptop", KeyState::Asleep, "21 days ago"),
            key(4, "Trial", KeyState::Expired, "2 months ago"),
            key(5, "Old pipeline", KeyState::Revoked, "2 min ago"),
        ],
        paging: Paging { total: t("5 keys"), ..Paging::default() },
        can_create: true,
    };
    let empty = Keys { rows: Vec::new(), paging: Paging { total: t("0 keys"), ..Paging::default() }, ..full.clone() };
    let sought = Keys { search: t("lapto"), ..empty.clone() };
    let read = Keys { can_create: false, ..empty.clone() };
    draw("keys", vec![("empty", empty), ("sought", sought), ("read-only", read), ("full", full)])
}

fn new_keys() -> Drawn {
    let feature = |(at, (word, label, hint)): (usize, &(&str, &str, &str))| FeatureLevel {
        feature: (*word).into(),
        label: t(label),
        hint: t(hint),
        level: if at == 0 { Level::Write } else { Level::Disabled },
        highest: if at > 4 { Level::Read } else { Level::Delete },
    };
    let features = [
        ("completions", "Completions", "Calling models"),
        ("models", "Models", "Listing and approving models"),
        ("prompts", "Prompts", "Saved prompts and their versions"),
        ("metrics", "Metrics", "Figures of the gateway itself"),
        ("usage", "Usage", "Calls, tokens and latency"),
        ("members", "Members", "People, roles and invites"),
        ("providers", "Providers", "Addresses and their secrets"),
        ("keys", "API keys", "Keys like this one"),
        ("trail", "Trail", "Everything that was changed"),
        ("organization", "Organization", "Its name and settings"),
    ];
    let empty = NewKey {
        shell: shell(Place::Keys),
        owners: choices(&["Ada Lindqvist (you)", "The organization"], 0),
        features: features.iter().enumerate().map(feature).collect(),
        models: choices(&["gpt-4o-mini", "gpt-4o"], 0),
        expiries: choices(&["In 7 days", "In 30 days", "In 90 days", "In a year", "Never"], 1),
        ..NewKey::default()
    };
    let wrong = NewKey {
        name: Field::of("").wrong(t("A key needs a name.")),
        levels_error: t("You hold Trail at Read, so a key of yours cannot write it."),
        only_named: true,
        models_error: t("Pick at least one model, or allow all."),
        owner_error: t("Choose who owns it."),
        expires_error: t("Choose when it expires, or never."),
        ..empty.clone()
    };
    let secret = NewSecret {
        shell: shell(Place::Keys),
        name: t("Support bot"),
        secret: t("gwk_0000000000000000000001exampleexampleexampleexampleexampleexample0000000"),
        rotated: false,
        curl: t("curl http://127.0.0.1:8081/v1/models \\\n  -H \"Authorization: Bearer gwk_3fA9…\""),
        python: t(
            "from openai import OpenAI\n\nclient = OpenAI(base_url=\"http://127.0.0.1:8081/v1\", api_key=\"gwk_3fA9…\")\nanswer = client.chat.completions.create(\n    model=\"gpt-4o-mini\",\n    messages=[{\"role\": \"user\", \"content\": \"Hello\"}],\n)\nprint(answer.choices[0].message.content)",
        ),
    };
    let rotated = NewSecret { rotated: true, ..secret.clone() };
    [
        draw("new-key", vec![("empty", empty), ("wrong", wrong)]),
        draw("new-secret", vec![("created", secret), ("rotated", rotated)]),
    ]
    .concat()
}

fn entry(seq: u64, who: &str, did: &str, what: &str, through: &str, when: &str) -> EntryRow {
    EntryRow {
        seq,
        number: t(&crate::charts::grouped(seq)),
        who: t(who),
        did: t(did),
        what: t(what),
        through: t(through),
        when: t(when),
        instant: t("2026-11-21 10:58:03 UTC"),
    }
}

fn trail() -> Drawn {
    let full = Trail {
        shell: shell(Place::Trail),
        doubt: String::new(),
        search: t("a"),
        action_filter: choices(&["Any action", "member:role", "key:revoke"], 0),
        actor_filter: choices(&["By anyone", "Ada Lindqvist"], 0),
        when_filter: choices(&["At any time", "Last 24 hours", "Last 30 days"], 2),
        rows: vec![
            entry(18_204, "Bashir Karim", "revoked a key", "Support bot", "console", "2 min ago"),
            entry(18_203, "Chiara Moretti", "exported usage", "November, CSV", "console", "14 min ago"),
            entry(18_202, "Ada Lindqvist", "changed a role", "Chiara Moretti", "console", "21 min ago"),
            entry(18_201, "Terraform", "approved a model", "claude-sonnet", "API key", "1 h ago"),
            entry(18_200, "Ada Lindqvist", "invited someone", "farah@acme.example", "console", "3 h ago"),
        ],
        paging: Paging { total: t("18,204 entries"), shown: t("1–50 of 18,204"), ..paging() },
    };
    let empty = Trail { rows: Vec::new(), ..full.clone() };
    let still = Trail {
        doubt: t("Was a backup restored? As it is now, it ends at entry 18204, and 18207 entries were signed."),
        ..full.clone()
    };
    let change =
        |field: &str, was: Option<&str>, is: Option<&str>| Change { field: t(field), was: was.map(t), is: is.map(t) };
    let page = Entry {
        shell: shell(Place::Trail),
        row: entry(18_202, "Ada Lindqvist", "changed a role", "Chiara Moretti", "console", "21 min ago"),
        records: vec![ChangedRecord {
            name: t("Chiara Moretti"),
            note: t("member, 3 fields"),
            folded: false,
            previous: Some(17_991),
            changes: vec![
                change("role", Some("Member"), Some("Viewer")),
                change("ends", None, Some("Fri 27 Nov 2026, 18:00 UTC")),
                change("condition", Some("from 192.0.2.0/24"), None),
            ],
        }],
        allowed_by: t("Owner, organization-wide"),
        request_id: t("req_01J9Z3EXAMPLE"),
        leaf_hash: t("c41f2b6de9a0c41f2b6de9a0c41f2b6de9a0c41f2b6de9a0c41f2b6de9a09be2"),
        checkpoint: t("checkpoint 18,204"),
    };
    let bare = Entry { records: Vec::new(), checkpoint: String::new(), ..page.clone() };
    let fragment = vec![("trail-entry-fragment".to_owned(), page.as_entry().render().unwrap())];
    [
        draw("trail", vec![("empty", empty), ("still", still), ("full", full)]),
        fragment,
        draw("trail-entry", vec![("bare", bare), ("full", page)]),
    ]
    .concat()
}
