//! The server of the console and the JSON API.

use std::{io, net::TcpListener, sync::Arc};

use actix_web::{App, HttpServer, dev::Server, middleware, web};

use crate::{Route, Site, http, route::register};

/// The largest form or JSON document, in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// Everything that an actix app needs to answer as the console and API do: state, limits and routes.
pub fn configure(site: Site, routes: Arc<Vec<Route>>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(web::Data::new(site)).app_data(web::PayloadConfig::new(LARGEST_BODY));
        register(&routes, config);
    }
}

/// Serves the site on a listener until it is stopped.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(site: Site, listener: TcpListener, tls: Option<rustls::ServerConfig>) -> io::Result<Server> {
    let routes = Arc::new(crate::routes());
    let server = HttpServer::new(move || {
        App::new()
            .configure(configure(site.clone(), Arc::clone(&routes)))
            .wrap(middleware::from_fn(http::forms_from_elsewhere))
            .wrap(middleware::from_fn(http::frame))
            .wrap(middleware::Compress::default())
    });
    let server = server.workers(2).shutdown_timeout(20).disable_signals();
    let server = match tls {
        None => server.listen(listener)?,
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
    };
    Ok(server.run())
}
