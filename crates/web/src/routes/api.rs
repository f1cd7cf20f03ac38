//! The operations of the JSON API.

use actix_web::http::Method;
use gatewarden_access::actions as a;

use crate::{
    Operation, Route,
    api::{
        document, gateways, invites, keys, members, models, organization, providers, revocation, roles, trail, usage,
    },
};

const PAGE: [(&str, &str); 2] =
    [("after", "what the page before gave as next"), ("limit", "at most so many: 1 to 200, 50 unless said")];
const MEMBERS: [(&str, &str); 4] = [("q", "part of a name or address"), ("role", "the id of a role"), PAGE[0], PAGE[1]];

const TRAIL: [(&str, &str); 5] = [
    ("q", "part of what someone or something is called, or an id"),
    ("action", "the name of an action, such as member.change_role"),
    ("actor", "the id of an account"),
    PAGE[0],
    PAGE[1],
];
const EXPORT: [(&str, &str); 1] =
    [("format", "jsonl (the entries as they were hashed), csv or ocsf (version 1.6.0); jsonl unless said")];
const RANGE: [(&str, &str); 1] = [("range", "24h, 7d or 30d; 30d unless said")];
const KEYS: [(&str, &str); 5] = [
    ("q", "part of the key's or its owner's name, or how its text begins"),
    ("owner", "the id of a member, or organization"),
    ("state", "active, expired, revoked or owner_suspended"),
    PAGE[0],
    PAGE[1],
];
const WAIT: [(&str, &str); 1] =
    [("wait", "true to wait, for ten seconds at most, until it is in effect on every gateway; false unless said")];
const SAME: &str = "it says the same to everyone";

pub(super) fn table() -> Vec<Route> {
    let people = [members(), roles(), invites()];
    let things = [records(), keys(), models(), providers(), gateways()];
    [about_the_api(), organization()].into_iter().chain(people).chain(things).flatten().collect()
}

fn about_the_api() -> Vec<Route> {
    vec![
        Route::open(Method::GET, "/api/v1/openapi.json", SAME, document::openapi),
        Route::open(Method::GET, "/api/docs", SAME, document::docs),
    ]
}

fn organization() -> Vec<Route> {
    vec![
        Route::api::<a::ReadOrganization, _>(
            Method::GET,
            "/api/v1/organization",
            Operation::answers::<organization::Organization>("Read the organization"),
            organization::read,
        ),
        Route::api::<a::UpdateOrganization, _>(
            Method::PATCH,
            "/api/v1/organization",
            Operation::answers::<organization::Organization>("Change the organization")
                .takes::<organization::UpdateBody>()
                .if_match(),
            organization::update,
        ),
    ]
}

fn members() -> Vec<Route> {
    vec![
        Route::api::<a::ListMembers, _>(
            Method::GET,
            "/api/v1/members",
            Operation::answers::<members::Members>("List members").query(&MEMBERS),
            members::list,
        ),
        Route::api::<a::ReadMember, _>(
            Method::GET,
            "/api/v1/members/{member}",
            Operation::answers::<members::Member>("Read a member"),
            members::read,
        ),
        Route::api::<a::ChangeMemberRole, _>(
            Method::PATCH,
            "/api/v1/members/{member}",
            Operation::answers::<members::Member>("Change a member's role").takes::<members::RoleBody>().if_match(),
            members::change_role,
        ),
        Route::api::<a::SuspendMember, _>(
            Method::POST,
            "/api/v1/members/{member}/suspend",
            Operation::answers::<members::Member>("Suspend a member").if_match(),
            members::suspend,
        ),
        Route::api::<a::ReinstateMember, _>(
            Method::POST,
            "/api/v1/members/{member}/reinstate",
            Operation::answers::<members::Member>("Reinstate a member").if_match(),
            members::reinstate,
        ),
        Route::api::<a::RemoveMember, _>(
            Method::DELETE,
            "/api/v1/members/{member}",
            Operation::done("Remove a member").if_match(),
            members::remove,
        ),
    ]
}

fn roles() -> Vec<Route> {
    vec![Route::api::<a::ListRoles, _>(
        Method::GET,
        "/api/v1/roles",
        Operation::answers::<roles::Roles>("List roles"),
        roles::list,
    )]
}

fn invites() -> Vec<Route> {
    vec![
        Route::api::<a::ListInvites, _>(
            Method::GET,
            "/api/v1/invites",
            Operation::answers::<invites::Invites>("List open invites").query(&PAGE),
            invites::list,
        ),
        Route::api::<a::InviteMember, _>(
            Method::POST,
            "/api/v1/invites",
            Operation::answers::<invites::SentInvite>("Invite someone").takes::<invites::InviteBody>().creates(),
            invites::create,
        ),
        Route::api::<a::ResendInvite, _>(
            Method::POST,
            "/api/v1/invites/{invite}/resend",
            Operation::answers::<invites::SentInvite>("Send an invite again").if_match(),
            invites::resend,
        ),
        Route::api::<a::RevokeInvite, _>(
            Method::DELETE,
            "/api/v1/invites/{invite}",
            Operation::done("Revoke an invite").if_match(),
            invites::revoke,
        ),
    ]
}

fn records() -> Vec<Route> {
    vec![
        Route::api::<a::ReadUsage, _>(
            Method::GET,
            "/api/v1/usage",
            Operation::answers::<usage::Usage>("Read usage over a span").query(&RANGE),
            usage::read,
        ),
        Route::api::<a::ReadTrail, _>(
            Method::GET,
            "/api/v1/trail",
            Operation::answers::<trail::Trail>("List entries of the trail").query(&TRAIL),
            trail::list,
        ),
        Route::api::<a::ReadTrail, _>(
            Method::GET,
            "/api/v1/trail/{seq}",
            Operation::answers::<trail::WholeEntry>("Read an entry and what it changed"),
            trail::read,
        ),
        Route::api::<a::ReadTrail, _>(
            Method::GET,
            "/api/v1/trail/{seq}/proof",
            Operation::answers_text("Download the proof of an entry, as c2sp.org/tlog-proof has it", &["text/plain"]),
            trail::proof,
        ),
        Route::api::<a::ExportTrail, _>(
            Method::GET,
            "/api/v1/trail/export",
            Operation::answers_text("Export every entry, oldest first", &["application/jsonl", "text/csv"])
                .query(&EXPORT),
            trail::export,
        ),
    ]
}

fn keys() -> Vec<Route> {
    vec![
        Route::api::<a::ListKeys, _>(
            Method::GET,
            "/api/v1/keys",
            Operation::answers::<keys::Keys>("List API keys").query(&KEYS),
            keys::list,
        ),
        Route::api::<a::CreateKey, _>(
            Method::POST,
            "/api/v1/keys",
            Operation::answers::<keys::NewKey>("Create an API key").takes::<keys::CreateBody>().creates(),
            keys::create,
        ),
        Route::api::<a::ReadKey, _>(
            Method::GET,
            "/api/v1/keys/{key}",
            Operation::answers::<keys::Key>("Read an API key"),
            keys::read,
        ),
        Route::api::<a::RotateKey, _>(
            Method::POST,
            "/api/v1/keys/{key}/rotate",
            Operation::answers::<keys::NewKey>("Give an API key a new text").if_match(),
            keys::rotate,
        ),
        Route::api::<a::RevokeKey, _>(
            Method::DELETE,
            "/api/v1/keys/{key}",
            Operation::answers::<revocation::Revocation>("Revoke an API key, and say how far that has come")
                .query(&WAIT)
                .if_match(),
            keys::revoke,
        ),
    ]
}

fn models() -> Vec<Route> {
    vec![
        Route::api::<a::ListModels, _>(
            Method::GET,
            "/api/v1/models",
            Operation::answers::<models::Models>("List approved models").query(&PAGE),
            models::list,
        ),
        Route::api::<a::ApproveModel, _>(
            Method::POST,
            "/api/v1/models",
            Operation::answers::<models::Model>("Approve a model").takes::<models::ApproveBody>().creates(),
            models::approve,
        ),
        Route::api::<a::WithdrawModel, _>(
            Method::DELETE,
            "/api/v1/models/{model}",
            Operation::done("Withdraw a model").if_match(),
            models::withdraw,
        ),
    ]
}

fn providers() -> Vec<Route> {
    vec![
        Route::api::<a::ListProviders, _>(
            Method::GET,
            "/api/v1/providers",
            Operation::answers::<providers::Providers>("List providers").query(&PAGE),
            providers::list,
        ),
        Route::api::<a::AddProvider, _>(
            Method::POST,
            "/api/v1/providers",
            Operation::answers::<providers::Provider>("Add a provider").takes::<providers::AddBody>().creates(),
            providers::add,
        ),
        Route::api::<a::ReadProvider, _>(
            Method::GET,
            "/api/v1/providers/{provider}",
            Operation::answers::<providers::Provider>("Read a provider"),
            providers::read,
        ),
        Route::api::<a::UpdateProvider, _>(
            Method::PATCH,
            "/api/v1/providers/{provider}",
            Operation::answers::<providers::Provider>("Change a provider").takes::<providers::UpdateBody>().if_match(),
            providers::update,
        ),
        Route::api::<a::TestProvider, _>(
            Method::POST,
            "/api/v1/providers/{provider}/test",
            Operation::answers::<providers::Test>("Test a provider"),
            providers::test,
        ),
        Route::api::<a::RemoveProvider, _>(
            Method::DELETE,
            "/api/v1/providers/{provider}",
            Operation::done("Remove a provider, its models and its secret").if_match(),
            providers::remove,
        ),
    ]
}

fn gateways() -> Vec<Route> {
    vec![
        Route::api::<a::ListGateways, _>(
            Method::GET,
            "/api/v1/gateways",
            Operation::answers::<gateways::Gateways>("List gateways").query(&PAGE),
            gateways::list,
        ),
        Route::api::<a::AddGateway, _>(
            Method::POST,
            "/api/v1/gateways",
            Operation::answers::<gateways::NewGateway>("Add a gateway").takes::<gateways::AddBody>().creates(),
            gateways::add,
        ),
        Route::api::<a::DrainGateway, _>(
            Method::POST,
            "/api/v1/gateways/{gateway}/drain",
            Operation::answers::<gateways::Gateway>("Drain a gateway").if_match(),
            gateways::drain,
        ),
        Route::api::<a::DrainGateway, _>(
            Method::POST,
            "/api/v1/gateways/{gateway}/resume",
            Operation::answers::<gateways::Gateway>("Let a drained gateway work again").if_match(),
            gateways::resume,
        ),
        Route::api::<a::RemoveGateway, _>(
            Method::DELETE,
            "/api/v1/gateways/{gateway}",
            Operation::done("Remove a gateway, which drops its policy").if_match(),
            gateways::remove,
        ),
    ]
}
