use actix_web::{HttpResponse, http::Method};
use gatewarden_web::Route;

async fn page() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {
    let _route = Route::open(Method::GET, "/page", page);
}
