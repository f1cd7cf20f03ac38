//! What every request works with.

use std::{sync::Arc, time::Duration};

use gatewarden_control::App;
use gatewarden_credentials::CookieKey;
use gatewarden_types::{Id, Network, Request};

/// The parts of the web side. One for the program; cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Parts>);

/// What a [`Site`] is made of.
pub struct Parts {
    /// The use cases.
    pub app: App,
    /// Signs form tokens and notices.
    pub cookies: CookieKey,
    /// Where people reach the console, without a trailing slash.
    pub public_url: String,
    /// Where programs reach the gateway, without a trailing slash.
    pub gateway_url: String,
    /// From where proxies in front tell who asks, in X-Forwarded-For.
    pub trusted_proxies: Vec<Network>,
    /// How long a request may take to arrive whole; its headers have five seconds of their own.
    pub arrival: Duration,
    /// Whether `/ui`, the page of all components, is served.
    pub development: bool,
}

impl Site {
    /// A site of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// A new id for a request.
    pub fn request_id(&self) -> Id<Request> {
        self.app.id()
    }

    /// Whether people reach it by TLS.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

impl std::ops::Deref for Site {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
