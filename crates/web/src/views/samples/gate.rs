//! Before signing in, errors, and the reference of the API.

use super::*;
use crate::views::docs::{Answer, Docs, Operation, OperationGroup, Parameter};
use crate::views::errors::{BareErrorPage, ErrorPage, ToastAnswer, Trouble};
use crate::views::sign_in::{Invite, InviteAsks, SetUp, SetUpDone, SignIn};

const CURL: &str = "curl http://127.0.0.1:8081/v1/chat/completions \\\n  -H \"Authorization: Bearer gwk_3fA9…\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{\"model\": \"gpt-4o-mini\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'";

pub(super) fn all() -> Drawn {
    [set_up(), sign_in(), invites(), errors(), docs()].concat()
}

fn set_up() -> Drawn {
    let empty = SetUp { frame: bare(), code: t("x1"), ..SetUp::default() };
    let wrong = SetUp {
        error: t("The set-up code is not right."),
        name: Field::of(t("Ada Lindqvist")),
        email: Field::of(t("ada@")).wrong(t("This is not an e-mail address.")),
        password_error: t("It has 7 characters; at least 12 are needed."),
        organization: Field::of(t("Acme Research")),
        slug: Field::of(t("acme")).wrong(t("Another organization has this slug.")),
        ..empty.clone()
    };
    let done = SetUpDone {
        frame: bare(),
        organization: t("Acme Research"),
        slug: "acme".into(),
        master_key: t("gwk_0000000000000000000001exampleexampleexampleexampleexampleexample0000000"),
        curl: t(CURL),
    };
    [draw("set-up", vec![("empty", empty), ("wrong", wrong)]), draw("set-up-done", vec![("full", done)])].concat()
}

fn sign_in() -> Drawn {
    let empty = SignIn { frame: bare(), next: t("/o/acme"), ..SignIn::default() };
    let wrong = SignIn { email: t("ada@acme.example"), error: t("Address or password is not right."), ..empty.clone() };
    let ended = SignIn { reason: t("Your session has ended. Sign in and you go on where you were."), ..empty.clone() };
    draw("sign-in", vec![("empty", empty), ("wrong", wrong), ("ended", ended)])
}

fn invites() -> Drawn {
    let new = Invite {
        frame: bare(),
        token: "tok".into(),
        organization: t("Acme Research"),
        role: t("Member"),
        invited_by: t("Ada Lindqvist"),
        email: t("farah@acme.example"),
        ends: t("in 6 days"),
        password_error: t("It has 7 characters; at least 12 are needed."),
        ..Invite::default()
    };
    let asks = |asks| Invite { asks, ..new.clone() };
    draw(
        "invite",
        vec![
            ("known", asks(InviteAsks::Nothing)),
            ("sign-in", asks(InviteAsks::SignIn)),
            ("gone", asks(InviteAsks::Gone)),
            ("new", new),
        ],
    )
}

fn errors() -> Drawn {
    let trouble = |status| Trouble {
        ways: vec![(t("Go to the overview"), "/o/acme".into()), (t("Your organizations"), "/organizations".into())],
        request_id: t("req_01J9Z3"),
        ..Trouble::of(status)
    };
    let statuses = [400, 401, 403, 404, 409, 413, 422, 429, 500, 503];
    let inside = statuses
        .map(|status| (status.to_string(), ErrorPage { shell: shell(Place::Members), trouble: trouble(status) }));
    let outside =
        statuses.map(|status| (status.to_string(), BareErrorPage { frame: bare(), trouble: trouble(status) }));
    let toast = ToastAnswer { csrf: t("c"), notice: notice(Tone::Bad, "The last owner stays.", false) };
    [
        draw("error", inside.iter().map(|(status, page)| (status.as_str(), page.clone())).collect()),
        draw("error-bare", outside.iter().map(|(status, page)| (status.as_str(), page.clone())).collect()),
        draw("toast", vec![("bad", toast)]),
    ]
    .concat()
}

fn docs() -> Drawn {
    let schema = "{\n  \"id\": \"mem_01J…\",\n  \"role\": \"admin\",\n  \"version\": 18202\n}";
    let operation = |id: &str, method: &str, path: &str, summary: &str| Operation {
        id: id.into(),
        method: method.into(),
        path: t(path),
        summary: t(summary),
        description: t("Answers what the key may see."),
        needs: t("members:read"),
        parameters: vec![Parameter {
            name: t("cursor"),
            place: t("query"),
            kind: t("string"),
            required: false,
            description: t("Where the page before ended."),
        }],
        body: if method == "GET" { String::new() } else { t(schema) },
        answers: vec![
            Answer { status: t("200"), description: t("The members"), body: t(schema) },
            Answer { status: t("401"), description: t("No key"), body: String::new() },
        ],
    };
    let members = OperationGroup {
        name: t("Members"),
        anchor: "members".into(),
        operations: vec![
            operation("list-members", "GET", "/organizations/{organization}/members", "List members"),
            operation(
                "change-role",
                "PATCH",
                "/organizations/{organization}/members/{member}",
                "Change a member's role",
            ),
            operation("remove-member", "DELETE", "/organizations/{organization}/members/{member}", "Remove a member"),
        ],
    };
    let page = Docs {
        theme: Theme::System,
        version: t("1.0.0"),
        base_url: t("http://127.0.0.1:8080/api/v1"),
        document_url: "/api/v1/openapi.json".into(),
        groups: vec![members],
    };
    draw("docs", vec![("full", page)])
}
