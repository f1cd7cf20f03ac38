//! Gateways.

use super::*;
use crate::views::gateways::{GatewayRow, GatewayState, Gateways, InThisProgram, NewGateway, Progress};

fn row(at: usize, name: &str, state: GatewayState, lag: &str) -> GatewayRow {
    let waits = matches!(state, GatewayState::Waiting | GatewayState::Expired);
    let draining = matches!(state, GatewayState::Draining | GatewayState::DrainingAway);
    GatewayRow {
        id: format!("gtw_{at}"),
        name: t(name),
        state,
        token: if waits { t("token ends in 58 min") } else { String::new() },
        progress: (!waits).then(|| Progress { position: t("18,204"), lag: t(lag) }),
        release: if waits { String::new() } else { t("0.1.0") },
        last_seen: if at == 5 { String::new() } else { t("now") },
        problem: if matches!(at, 3 | 7) {
            t("an entry could not be read; the last good policy holds")
        } else {
            String::new()
        },
        version: t("17"),
        can_drain: !waits && !draining,
        can_resume: draining,
        can_remove: true,
    }
}

pub(super) fn all() -> Drawn {
    let progress = Progress { position: t("18,204"), lag: t("none") };
    let here = InThisProgram { url: t("https://gateway.acme.example"), progress, release: t("0.1.0") };
    let full = Gateways {
        shell: shell(Place::Gateways),
        here: Some(here),
        rows: vec![
            row(1, "Frankfurt", GatewayState::Connected, "none"),
            row(2, "Oslo", GatewayState::Draining, "2 entries"),
            row(3, "Rack 4", GatewayState::Away, "812 entries"),
            row(4, "Lisbon", GatewayState::Waiting, ""),
            row(5, "Porto", GatewayState::DrainingAway, "1 entry"),
            row(6, "Turin", GatewayState::Expired, ""),
            row(7, "Riga", GatewayState::Ailing, "none"),
        ],
        goes_on: t("1 day"),
        goes_on_until: t("22 Nov 2026, 12:00:00 UTC"),
        can_add: true,
        name: Field::default(),
    };
    let wrong = Gateways { name: Field::of(t("Oslo")).wrong(t("Another gateway has this name.")), ..full.clone() };
    let empty = Gateways { rows: Vec::new(), ..full.clone() };
    let read = Gateways { here: None, can_add: false, ..empty.clone() };
    let made = NewGateway {
        shell: shell(Place::Gateways),
        name: t("Frankfurt"),
        token: t("gtw_0000000000000000000001exampleexampleexampleexampleexampleexample0000000"),
        enroll: t("gatewarden-gateway enroll --control https://console.acme.example --token gtw_0 --data ./gateway"),
        run: t("gatewarden-gateway run --data ./gateway"),
    };
    [
        draw("gateways", vec![("empty", empty), ("read-only", read), ("wrong", wrong), ("full", full)]),
        draw("new-gateway", vec![("added", made)]),
    ]
    .concat()
}
