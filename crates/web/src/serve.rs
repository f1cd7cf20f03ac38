//! The server of the console and the JSON API.

use std::{io, net::TcpListener, sync::Arc};

use actix_web::{
    App, Error, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse},
    middleware, web,
};

use crate::{Route, Site, http, route::register};

/// The whole site as an actix app: state, limits, routes, and what stands around every request.
pub fn app(
    site: Site,
    routes: &[Route],
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(web::Data::new(site))
        .app_data(web::PayloadConfig::new(http::LARGEST_BODY))
        .configure(|config| register(routes, config))
        .wrap(middleware::from_fn(http::arrived))
        .wrap(middleware::from_fn(http::forms_from_elsewhere))
        .wrap(middleware::from_fn(http::frame))
        .wrap(middleware::Compress::default())
}

/// Serves the site on a listener until it is stopped.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(site: Site, listener: TcpListener, tls: Option<rustls::ServerConfig>) -> io::Result<Server> {
    let routes = Arc::new(crate::routes());
    let server = HttpServer::new(move || app(site.clone(), &routes));
    let server = server.workers(2).shutdown_timeout(20).disable_signals();
    let server = match tls {
        None => server.listen(listener)?,
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
    };
    Ok(server.run())
}
