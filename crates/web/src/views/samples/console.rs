//! Overview, members, account, settings, components.

use super::*;
use crate::charts::{Bar, Spark};
use crate::views::account::{Account, Organizations, Session};
use crate::views::components::Components;
use crate::views::members::*;
use crate::views::overview::{Card, FirstCall, Overview, Range, RefusedRow};
use crate::views::settings::Settings;

pub(super) fn all() -> Drawn {
    [overview(), members(), member_rows(), invites(), account(), settings(), components()].concat()
}

fn bars(all: &[(&str, u64)]) -> Vec<Bar> {
    all.iter()
        .map(|(label, value)| Bar { label: t(label), value: *value, shown: t(&crate::charts::grouped(*value)) })
        .collect()
}

fn overview() -> Drawn {
    let card = |label: &str, value: &str, note: &str| Card { label: t(label), value: t(value), note: t(note) };
    let refused = |why: &str, calls: &str, helps: &str| RefusedRow { why: t(why), calls: t(calls), helps: t(helps) };
    let full = Overview {
        shell: shell(Place::Overview),
        range: Range::Month,
        whose: t("Everyone's calls"),
        cards: vec![
            card("Calls", "1.24 M", "+18 % on the 30 days before"),
            card("Tokens", "912 M", "688 M in · 224 M out"),
            card("Refused", "0.31 %", "3,842 calls · mostly models"),
            card("Latency", "412 ms", "p50 · 2.8 s p99, with the model"),
        ],
        calls: month(68_000),
        models: bars(&[
            ("gpt-4o-mini", 812_204),
            ("claude-sonnet", 280_087),
            ("gpt-4o", 141_611),
            ("text-embedding-3", 940),
        ]),
        members: bars(&[("Dmitri Orlov", 641_207), ("Ada Lindqvist", 312_480), ("Bashir Karim", 8_112)]),
        refused: vec![
            refused("Model not approved", "17", "o3-pro · Ada or Bashir can approve it"),
            refused("Key revoked", "5", "revoked 2 min ago by Bashir Karim"),
            refused("Member suspended", "1", "an owner or admin can reinstate"),
        ],
        first_call: None,
    };
    let quiet = Overview {
        models: Vec::new(),
        members: Vec::new(),
        refused: Vec::new(),
        calls: month(0),
        range: Range::Day,
        ..full.clone()
    };
    let first = |before| Overview {
        first_call: Some(FirstCall {
            curl: t("curl http://127.0.0.1:8081/v1/models -H \"Authorization: Bearer $KEY\""),
            before,
            can_create_key: true,
            can_see_models: true,
        }),
        ..full.clone()
    };
    let blocked = first(Some((t("Add a provider"), "/o/acme/providers/new".into())));
    draw("overview", vec![("first", first(None)), ("first-blocked", blocked), ("quiet", quiet), ("full", full)])
}

fn row(at: usize, name: &str, role: usize, last_call: &str, calls: &str) -> MemberRow {
    let roles = ["Owner", "Admin", "Member", "Viewer"];
    MemberRow {
        id: format!("mem_{at}"),
        name: t(name),
        email: t(&format!("{}@acme.example", name.split(' ').next().unwrap_or("x").to_lowercase())),
        role: t(roles[role]),
        roles: choices(&roles, role),
        version: t("18202"),
        last_call: t(last_call),
        calls: t(calls),
        keys: at as u64 % 3,
        can_suspend: true,
        can_remove: true,
        ..MemberRow::default()
    }
}

fn member_list() -> Vec<MemberRow> {
    let mut rows = vec![
        row(1, "Ada Lindqvist", 0, "now", "12,480"),
        row(2, "Bashir Karim", 1, "4 min ago", "8,112"),
        row(3, "Chiara Moretti", 3, "1 h ago", "0"),
        row(4, "Dmitri Orlov", 2, "2 h ago", "41,207"),
        row(5, "Esi Nyarko", 1, "yesterday", "930"),
        row(6, "Goran Simić", 2, "3 days ago", "12"),
        row(7, "Hana Takeda", 3, "21 days ago", "0"),
        row(8, "Ines Vidal de la Torre y Santamaría", 2, "5 h ago", "2,204"),
    ];
    rows[0] = MemberRow {
        you: true,
        roles: Vec::new(),
        fixed_because: t("the last owner stays"),
        can_suspend: false,
        can_remove: false,
        ..rows[0].clone()
    };
    rows[6] = MemberRow { status: MemberStatus::Suspended, can_suspend: false, can_reinstate: true, ..rows[6].clone() };
    rows
}

fn members() -> Drawn {
    let column = |label: &str, sorted, figures| Column {
        label: t(label),
        href: "/o/acme/members?sort=x".into(),
        figures,
        sorted,
    };
    let full = Members {
        shell: Shell { notice: notice(Tone::Good, "Chiara is now Viewer.", true), ..shell(Place::Members) },
        search: t("a"),
        role_filter: choices(&["Any role", "Owner", "Admin", "Member", "Viewer"], 0),
        status_filter: choices(&["Any status", "Active", "Suspended"], 0),
        sort: t("name"),
        columns: vec![
            column("Person", Sorted::Up, false),
            column("Role", Sorted::No, false),
            column("Status", Sorted::No, false),
            column("Last call", Sorted::No, false),
            column("Calls, 30 days", Sorted::No, true),
        ],
        rows: member_list(),
        paging: paging(),
        invites: 3,
        can_invite: true,
    };
    let none =
        Members { rows: Vec::new(), paging: Paging { total: t("0 people"), ..Paging::default() }, ..full.clone() };
    let read = |row: MemberRow| MemberRow {
        roles: Vec::new(),
        can_suspend: false,
        can_reinstate: false,
        can_remove: false,
        calls: String::new(),
        ..row
    };
    let forbidden = Members { rows: member_list().into_iter().map(read).collect(), can_invite: false, ..full.clone() };
    draw("members", vec![("empty", none), ("read-only", forbidden), ("full", full)])
}

fn member_rows() -> Drawn {
    let answer =
        |row, tone, text| MemberAnswer { slug: "acme".into(), csrf: t("c5f"), row, notice: notice(tone, text, true) };
    let changed = answer(Some(row(3, "Chiara Moretti", 3, "1 h ago", "0")), Tone::Good, "Chiara is now Viewer.");
    let conflict =
        answer(Some(row(3, "Chiara Moretti", 1, "1 h ago", "0")), Tone::Bad, "Bashir made Chiara Admin a moment ago.");
    draw(
        "member-row",
        vec![
            ("changed", changed),
            ("conflict", conflict),
            ("removed", answer(None, Tone::Good, "Chiara was removed.")),
        ],
    )
}

fn invites() -> Drawn {
    let row = |id: &str, email: &str, ended| InviteRow {
        id: id.into(),
        email: t(email),
        role: t("Member"),
        invited_by: t("Ada Lindqvist"),
        sent: t("2 days ago"),
        ends: t(if ended { "yesterday" } else { "in 5 days" }),
        ended,
        version: t("7"),
        can_resend: true,
        can_revoke: true,
    };
    let rows = vec![row("inv_1", "farah@acme.example", false), row("inv_2", "jonas@acme.example", true)];
    let full = Invites { shell: shell(Place::Members), waiting: 2, rows, paging: Paging::default(), can_invite: true };
    let empty = Invites { rows: Vec::new(), waiting: 0, ..full.clone() };
    let new = NewInvite {
        shell: shell(Place::Members),
        roles: choices(&["Admin", "Member", "Viewer"], 1),
        addresses: Field::of(t("farah@acme.example\njonas@")).wrong(t("Line 2 is not an e-mail address.")),
        ..NewInvite::default()
    };
    let sent = vec![SentInvite {
        email: t("farah@acme.example"),
        link: Some(t("http://127.0.0.1:8080/invites/3fA9exampleexample")),
    }];
    let sent = NewInvite { sent, addresses: Field::default(), ..new.clone() };
    [draw("invites", vec![("empty", empty), ("full", full)]), draw("new-invite", vec![("sent", sent), ("wrong", new)])]
        .concat()
}

fn account() -> Drawn {
    let session = |id: &str, device: &str, current| Session {
        id: id.into(),
        device: t(device),
        network: t("192.0.2.17"),
        last_seen: t("4 min ago"),
        since: t("3 days ago"),
        current,
    };
    let account = Account {
        shell: alone(Place::Account),
        name: Field::of(t("Ada Lindqvist")),
        sessions: vec![
            session("s1", "Firefox on Linux", true),
            session("s2", "Safari on iPhone", false),
            session("s3", "Chrome on Windows", false),
        ],
        ..Account::default()
    };
    let wrong = Account { current_error: t("This is not your password."), ..account.clone() };
    let full = Organizations {
        shell: alone(Place::Organizations),
        can_create: true,
        name: Field::default(),
        new_slug: Field::of(t("acme")).wrong(t("Taken.")),
    };
    let empty = Organizations {
        shell: Shell { organizations: Vec::new(), ..alone(Place::Organizations) },
        ..Organizations::default()
    };
    [
        draw("account", vec![("full", account), ("wrong", wrong)]),
        draw("organizations", vec![("empty", empty), ("full", full)]),
    ]
    .concat()
}

fn settings() -> Drawn {
    let full = Settings {
        shell: shell(Place::Settings),
        name: Field::of(t("Acme Research")),
        requests: Field::of("600"),
        tokens: Field::of("many").wrong("Give a whole number."),
        stale_after: choices(&["1 hour", "1 day", "7 days"], 1),
        stale_after_error: t("Choose a span."),
        everyone_sees_usage: false,
        version: t("12"),
        id: t("org_01J9Z3EXAMPLE"),
        since: t("3 June 2026"),
        can_edit: true,
    };
    let read = Settings { can_edit: false, everyone_sees_usage: true, ..full.clone() };
    draw("settings", vec![("read-only", read), ("full", full)])
}

fn components() -> Drawn {
    let page = Components {
        shell: shell(Place::Overview),
        area: month(68_000),
        bars: bars(&[("gpt-4o-mini", 812_204), ("claude-sonnet", 280_087)]),
        spark: Spark { label: t("Rising"), values: vec![1, 3, 2, 6, 5, 9] },
        fine: Field::of(t("acme")),
        wrong: Field::of(t("Acme!")).wrong(t("Small letters, digits and hyphens only.")),
        choices: choices(&["One", "Two"], 0),
    };
    draw("components", vec![("full", page)])
}
