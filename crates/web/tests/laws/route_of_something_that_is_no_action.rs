use actix_web::{HttpResponse, http::Method};
use gatewarden_web::Route;

struct Page;

async fn page() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {
    let _route = Route::organization::<Page, _>(Method::GET, "/o/{organization}/page", page);
}
