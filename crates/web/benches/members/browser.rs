//! An owner's browser at the console of a world, without the network in between.

use actix_web::{
    dev::{Service, ServiceResponse},
    test::{TestRequest, init_service, read_body},
};
use gatewarden_credentials::{RootKey, Token};
use gatewarden_store::SessionRow;
use gatewarden_testkit::World;
use gatewarden_types::Entropy;
use gatewarden_web::{Parts, SESSION_COOKIE, Site};

/// A browser that is signed in, at the site's door.
pub struct Door<S> {
    site: S,
    cookie: String,
    members: String,
}

/// Opens the console of a world for its owner.
pub async fn open(
    world: &World,
) -> Door<
    impl Service<
        actix_http::Request,
        Response = ServiceResponse<impl actix_web::body::MessageBody>,
        Error = actix_web::Error,
    >,
> {
    let root = RootKey::generate(&Entropy::new(|bytes| bytes.fill(7)));
    let site = Site::new(Parts {
        app: world.app().clone(),
        cookies: root.cookies(),
        public_url: "http://localhost:8080".to_owned(),
        gateway_url: "http://localhost:8081".to_owned(),
        trusted_proxies: Vec::new(),
        arrival: std::time::Duration::from_secs(30),
        development: false,
    });
    let site = init_service(gatewarden_web::app(site, &gatewarden_web::routes())).await;
    let cookie = format!("{SESSION_COOKIE}={}", sign_in(world).await);
    Door { site, cookie, members: format!("/o/{}/members", world.house().slug) }
}

/// A session as signing in leaves it, and its token.
async fn sign_in(world: &World) -> String {
    let app = world.app();
    let (token, now) = (Token::generate(&app.entropy), app.clock.now());
    let session = SessionRow {
        id: app.id(),
        account: world.owner().account,
        created: now,
        seen: now,
        expires: now.plus_seconds(86_400),
        device: "A browser".to_owned(),
        network: "127.0.0.1".to_owned(),
    };
    let mut tx = app.store.change_control(&world.anonymous()).await.expect("the control schema opens");
    let permit = tx.permit(world.owner().account).expect("anyone may sign in");
    tx.begin_session(&permit, &session, token.digest()).await.expect("the session is kept");
    tx.commit(permit).await.expect("the session is kept");
    token.text().expose().clone()
}

impl<S, B> Door<S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: actix_web::body::MessageBody,
{
    /// Opens the page of members, compressed as browsers ask for it, to its last byte.
    pub async fn get(&self, query: &str) {
        let request = TestRequest::get()
            .uri(&format!("{}?{query}", self.members))
            .insert_header(("cookie", self.cookie.as_str()))
            .insert_header(("accept-encoding", "gzip, deflate, br, zstd"))
            .to_request();
        let response = self.site.call(request).await.expect("the page is answered");
        assert!(response.status().is_success(), "{query}: {}", response.status());
        assert!(read_body(response).await.len() > 1_000, "{query}: a page has more than that");
    }
}
