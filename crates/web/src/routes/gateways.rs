//! What gateways on other hosts ask for.

use actix_web::http::Method;

use crate::{Route, gateways};

const TOKEN: &str = "a gateway that enrols has nothing but its token, which is what counts";
const CREDENTIAL: &str = "a gateway is no member and no key: the credential it enrolled with is what counts";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::open(Method::POST, "/api/gateway/v1/enroll", TOKEN, gateways::enroll),
        Route::open(Method::GET, "/api/gateway/v1/feed", CREDENTIAL, gateways::feed),
        Route::open(Method::POST, "/api/gateway/v1/report", CREDENTIAL, gateways::report),
        Route::open(Method::POST, "/api/gateway/v1/limits", CREDENTIAL, gateways::limits),
        Route::open(Method::POST, "/api/gateway/v1/usage", CREDENTIAL, gateways::usage),
    ]
}
