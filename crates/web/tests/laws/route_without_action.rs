use actix_web::{HttpResponse, http::Method};
use gatewarden_web::Route;

async fn page() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {
    let _route = Route::organization(Method::GET, "/o/{organization}/page", page);
}
