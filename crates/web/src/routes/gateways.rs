//! What gateways on other hosts ask for.

use actix_web::http::Method;
use gatewarden_control::gateways::paths;

use crate::{Route, gateways};

const TOKEN: &str = "a gateway that enrols has nothing but its token, which is what counts";
const CREDENTIAL: &str = "a gateway is no member and no key: the credential it enrolled with is what counts";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::open(Method::POST, paths::ENROLL, TOKEN, gateways::enroll),
        Route::open(Method::GET, paths::FEED, CREDENTIAL, gateways::feed),
        Route::open(Method::POST, paths::REPORT, CREDENTIAL, gateways::report),
        Route::open(Method::POST, paths::LIMITS, CREDENTIAL, gateways::limits),
        Route::open(Method::POST, paths::USAGE, CREDENTIAL, gateways::usage),
    ]
}
