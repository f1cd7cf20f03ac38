//! Putting the parts together.

use anyhow::Context;
use gatewarden_control::{App, AppParts, providers::Upstreams};
use gatewarden_mail::Mailer;
use gatewarden_types::{AllowedNetworks, Clock, Entropy};
use url::Url;

use crate::{settings::Settings, storage::Storage};

/// The sender of mails that only lie in a folder.
const NOBODY: &str = "gatewarden@localhost";

/// The use cases, over what is kept. `public_url` is where links lead.
pub fn app(settings: &Settings, storage: &Storage, ambient: (Clock, Entropy), public_url: Url) -> anyhow::Result<App> {
    let (clock, entropy) = ambient;
    Ok(App::new(AppParts {
        store: storage.store.clone(),
        clock,
        entropy,
        sealing: storage.root_key.sealing(),
        upstreams: Upstreams::new(AllowedNetworks(settings.allow_private.0.clone()))?,
        hashing: usize::try_from(settings.limits.hashing)?,
        mailer: mailer(settings)?,
        public_url,
    }))
}

fn mailer(settings: &Settings) -> anyhow::Result<Mailer> {
    let made = match &settings.mail {
        Some(mail) => Mailer::smtp(mail.smtp.expose(), &mail.from),
        None => Mailer::files(&settings.data.join("mail"), &NOBODY.parse()?),
    };
    made.context("mail cannot be set up")
}
