use actix_web::http::Method;
use gatewarden_access::{Action, actions::ReadTrail};
use gatewarden_web::Route;

fn main() {
    let _route = Route { method: Method::GET, path: "/page", action: Some(ReadTrail::INFO), operation: None };
}
