//! The pages and acts of the console.

use actix_web::http::Method;
use gatewarden_access::actions as a;

use crate::{
    Route,
    console::{
        account, files, gateways, invitation, invites, keys, members, models, organizations, overview, providers,
        set_up, settings, sign_in, trail,
    },
};

const STATIC: &str = "the same bytes for everyone";
const FIRST: &str = "nobody has an account yet: the printed code is what counts";
const SIGN_IN: &str = "who signs in is nobody yet";
const INVITED: &str = "whoever was invited may have no account yet: the link is what counts";
const HEALTH: &str = "what watches the program has no account";

pub(super) fn table() -> Vec<Route> {
    let areas = [program(), doors(), accounts(), overview_and_trail(), people(), offers(), organization(), api_keys()];
    areas.into_iter().chain([providers_and_models(), where_calls_are_answered()]).flatten().collect()
}

fn program() -> Vec<Route> {
    vec![
        Route::open(Method::GET, "/static/{file}", STATIC, files::file),
        Route::open(Method::GET, "/healthz", HEALTH, files::healthy),
        Route::open(Method::GET, "/readyz", HEALTH, files::ready),
        Route::open(Method::GET, "/ui", "the page of all components, in development alone", files::components),
    ]
}

fn doors() -> Vec<Route> {
    vec![
        Route::open(Method::GET, "/set-up", FIRST, set_up::show),
        Route::open(Method::POST, "/set-up", FIRST, set_up::set_up),
        Route::open(Method::GET, "/sign-in", SIGN_IN, sign_in::show),
        Route::open(Method::POST, "/sign-in", SIGN_IN, sign_in::sign_in),
        Route::account::<a::SignOut, _>(Method::POST, "/sign-out", sign_in::sign_out),
    ]
}

fn accounts() -> Vec<Route> {
    vec![
        Route::account::<a::ReadAccount, _>(Method::GET, "/account", account::show),
        Route::account::<a::UpdateAccount, _>(Method::POST, "/account", account::rename),
        Route::account::<a::ChangePassword, _>(Method::POST, "/account/password", account::change_password),
        Route::account::<a::RevokeSession, _>(Method::POST, "/account/sessions/{session}/revoke", account::revoke),
        Route::account::<a::RevokeOtherSessions, _>(
            Method::POST,
            "/account/sessions/revoke-others",
            account::revoke_others,
        ),
        Route::open(Method::GET, "/invites/{token}", INVITED, invitation::show),
        Route::open(Method::POST, "/invites/{token}", INVITED, invitation::accept),
        Route::account::<a::ListOrganizations, _>(Method::GET, "/", organizations::start),
        Route::account::<a::ListOrganizations, _>(Method::GET, "/organizations", organizations::list),
        Route::account::<a::RegisterOrganization, _>(Method::POST, "/organizations", organizations::create),
    ]
}

fn overview_and_trail() -> Vec<Route> {
    vec![
        Route::organization::<a::ReadUsage, _>(Method::GET, "/o/{organization}", overview::show),
        Route::organization::<a::ReadTrail, _>(Method::GET, "/o/{organization}/trail", trail::list),
        Route::organization::<a::ReadTrail, _>(Method::GET, "/o/{organization}/trail/{seq}", trail::entry),
        Route::organization::<a::ReadTrail, _>(Method::GET, "/o/{organization}/trail/{seq}/proof", trail::proof),
    ]
}

fn people() -> Vec<Route> {
    vec![
        Route::organization::<a::ListMembers, _>(Method::GET, "/o/{organization}/members", members::list),
        Route::organization::<a::ChangeMemberRole, _>(
            Method::POST,
            "/o/{organization}/members/{member}/role",
            members::change_role,
        ),
        Route::organization::<a::SuspendMember, _>(
            Method::POST,
            "/o/{organization}/members/{member}/suspend",
            members::suspend,
        ),
        Route::organization::<a::ReinstateMember, _>(
            Method::POST,
            "/o/{organization}/members/{member}/reinstate",
            members::reinstate,
        ),
        Route::organization::<a::RemoveMember, _>(
            Method::POST,
            "/o/{organization}/members/{member}/remove",
            members::remove,
        ),
    ]
}

fn offers() -> Vec<Route> {
    vec![
        Route::organization::<a::ListInvites, _>(Method::GET, "/o/{organization}/invites", invites::list),
        Route::organization::<a::ListInvites, _>(Method::GET, "/o/{organization}/invites/new", invites::new),
        Route::organization::<a::InviteMember, _>(Method::POST, "/o/{organization}/invites", invites::create),
        Route::organization::<a::ResendInvite, _>(
            Method::POST,
            "/o/{organization}/invites/{invite}/resend",
            invites::resend,
        ),
        Route::organization::<a::RevokeInvite, _>(
            Method::POST,
            "/o/{organization}/invites/{invite}/revoke",
            invites::revoke,
        ),
    ]
}

fn organization() -> Vec<Route> {
    vec![
        Route::organization::<a::ReadOrganization, _>(Method::GET, "/o/{organization}/settings", settings::show),
        Route::organization::<a::UpdateOrganization, _>(Method::POST, "/o/{organization}/settings", settings::save),
    ]
}

fn api_keys() -> Vec<Route> {
    vec![
        Route::organization::<a::ListKeys, _>(Method::GET, "/o/{organization}/keys", keys::list),
        Route::organization::<a::CreateKey, _>(Method::GET, "/o/{organization}/keys/new", keys::new),
        Route::organization::<a::CreateKey, _>(Method::POST, "/o/{organization}/keys", keys::create),
        Route::organization::<a::RotateKey, _>(Method::POST, "/o/{organization}/keys/{key}/rotate", keys::rotate),
        Route::organization::<a::RevokeKey, _>(Method::POST, "/o/{organization}/keys/{key}/revoke", keys::revoke),
    ]
}

fn providers_and_models() -> Vec<Route> {
    vec![
        Route::organization::<a::ListProviders, _>(Method::GET, "/o/{organization}/providers", providers::list),
        Route::organization::<a::ListProviders, _>(Method::GET, "/o/{organization}/providers/new", providers::new),
        Route::organization::<a::AddProvider, _>(Method::POST, "/o/{organization}/providers", providers::add),
        Route::organization::<a::ReadProvider, _>(
            Method::GET,
            "/o/{organization}/providers/{provider}",
            providers::show,
        ),
        Route::organization::<a::UpdateProvider, _>(
            Method::POST,
            "/o/{organization}/providers/{provider}",
            providers::update,
        ),
        Route::organization::<a::TestProvider, _>(
            Method::POST,
            "/o/{organization}/providers/{provider}/test",
            providers::test,
        ),
        Route::organization::<a::RemoveProvider, _>(
            Method::POST,
            "/o/{organization}/providers/{provider}/remove",
            providers::remove,
        ),
        Route::organization::<a::ListModels, _>(Method::GET, "/o/{organization}/models", models::list),
        Route::organization::<a::ApproveModel, _>(Method::POST, "/o/{organization}/models", models::approve),
        Route::organization::<a::WithdrawModel, _>(
            Method::POST,
            "/o/{organization}/models/{model}/withdraw",
            models::withdraw,
        ),
    ]
}

fn where_calls_are_answered() -> Vec<Route> {
    vec![
        Route::organization::<a::ListGateways, _>(Method::GET, "/o/{organization}/gateways", gateways::list),
        Route::organization::<a::AddGateway, _>(Method::POST, "/o/{organization}/gateways", gateways::add),
        Route::organization::<a::DrainGateway, _>(
            Method::POST,
            "/o/{organization}/gateways/{gateway}/drain",
            gateways::drain,
        ),
        Route::organization::<a::DrainGateway, _>(
            Method::POST,
            "/o/{organization}/gateways/{gateway}/resume",
            gateways::resume,
        ),
        Route::organization::<a::RemoveGateway, _>(
            Method::POST,
            "/o/{organization}/gateways/{gateway}/remove",
            gateways::remove,
        ),
    ]
}
