//! API keys: the list, a new one, and what is done to a row. A key's text is drawn once, by the act that made it.

mod form;
mod list;

use actix_web::{http::StatusCode, web};
use gatewarden_control::{
    Error,
    keys::{self, CreateKey, CreatedKey, Draft},
};
use gatewarden_credentials::Secret;
use gatewarden_types::{Id, Key, ModelSet};
use serde::Deserialize;

use super::organizations::first_call;
use crate::{
    http::{Answer, Fault, Here, Seen, VersionForm, now_true},
    revocation,
    views::{Notice, Place, Shell, Tone, keys as view},
};
use form::Sent;

pub use list::list;

/// Stands in the lines to paste where no approved model is known.
const NO_MODEL: &str = "NAME-OF-AN-APPROVED-MODEL";

/// Said when the form of a key comes twice.
const SHOWN: &str =
    "The form was sent twice, and the text was shown the first time: if nobody kept it, rotate the key.";

/// The form for a new one.
pub async fn new(here: Here) -> Answer {
    let draft = keys::draft(&here.site.app, &here.caller, here.organization).await?;
    here.page(&Sent::fresh(&draft.facts).drawn(here.shell(Place::Keys).await?, &draft, &[]))
}

/// Makes one. What cannot be taken stays in the form, with the reason.
pub async fn create(here: Here, body: web::Bytes) -> Answer {
    let sent = Sent(here.form(&body)?);
    let app = &here.site.app;
    // Read first: once the key is made, nothing may come between it and the page that shows it.
    let shell = here.shell(Place::Keys).await?;
    let draft = keys::draft(app, &here.caller, here.organization).await;
    // Who may not create keys is refused by the use case, which notes the attempt.
    let made = match sent.command(draft.as_ref().ok(), app.clock.now()) {
        Ok(command) => {
            let command = CreateKey { once: here.repeat(&body), ..command };
            keys::create(app, &here.caller, here.organization, command).await
        }
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match made {
        Ok(made) => shown(&here, shell, made, draft.ok().as_ref()),
        Err(Error::Invalid(wrong)) => {
            here.page_with(StatusCode::UNPROCESSABLE_ENTITY, &sent.drawn(shell, &draft?, &wrong))
        }
        Err(other) => Err(other.into()),
    }
}

/// The page with the key's text; for a form that was sent before, only that the text was shown then.
fn shown(here: &Here, shell: Shell, made: CreatedKey, draft: Option<&Draft>) -> Answer {
    let key = made.key.value;
    match made.secret {
        Some(text) => here.page(&secret(here, shell, &key, &text, draft)),
        None => here.done(&here.href("/keys"), &now_true(format!("{} was made once. {SHOWN}", key.name))),
    }
}

/// A new text for it; the old one is refused from now on.
pub async fn rotate(here: Here, body: web::Bytes) -> Answer {
    let Seen(seen) = here.form::<VersionForm>(&body)?.version;
    let (app, id) = (&here.site.app, here.id("key")?);
    let shell = here.shell(Place::Keys).await?;
    // Only names a model in the lines to paste: who may rotate and not create does without.
    let draft = keys::draft(app, &here.caller, here.organization).await.ok();
    match keys::rotate(app, &here.caller, here.organization, id, seen).await {
        Ok(rotated) => {
            let page = secret(&here, shell, &rotated.key.value, &rotated.secret, draft.as_ref());
            here.page(&view::NewSecret { rotated: true, ..page })
        }
        Err(error) => as_it_is_now(&here, id, error).await,
    }
}

#[derive(Deserialize)]
struct RevokeForm {
    version: Seen,
    /// There where the second of its buttons was pressed.
    wait: Option<String>,
}

/// Refused from now on, for good; the toast says on how many gateways.
pub async fn revoke(here: Here, body: web::Bytes) -> Answer {
    let RevokeForm { version: Seen(seen), wait } = here.form(&body)?;
    let (app, id) = (&here.site.app, here.id("key")?);
    match keys::revoke(app, &here.caller, here.organization, id, seen).await {
        Ok(revoked) => {
            let far = revocation::told(&here, revoked.version, wait.is_some()).await?;
            here.done(&here.href("/keys"), &now_true(format!("{} is revoked. {far}", revoked.value.name)))
        }
        Err(error) => as_it_is_now(&here, id, error).await,
    }
}

/// Where the key stands in the way, the list with the key as it is now and the reason; any other error as it is.
async fn as_it_is_now(here: &Here, key: Id<Key>, error: Error) -> Answer {
    let shows = matches!(error, Error::Conflict { .. } | Error::Rule(_)) && !here.wants_part();
    let fault = Fault::from(error);
    if !shows {
        return Err(fault);
    }
    // Who may change keys and not list them is told the reason alone.
    let Ok(mut page) = list::of_one(here, key).await else { return Err(fault) };
    page.shell.notice = Some(Notice { tone: Tone::Bad, text: fault.to_string(), undo: None });
    here.page_with(fault.status(), &page)
}

/// The one page that shows a key's text.
fn secret(here: &Here, shell: Shell, key: &Key, text: &Secret<String>, draft: Option<&Draft>) -> view::NewSecret {
    let (gateway, text) = (here.site.gateway_url.as_str(), text.expose());
    view::NewSecret {
        shell,
        name: key.name.to_string(),
        secret: text.clone(),
        rotated: false,
        curl: first_call(gateway, text),
        python: python(gateway, text, &example_model(key, draft)),
    }
}

/// A model that the key may call.
fn example_model(key: &Key, draft: Option<&Draft>) -> String {
    let callable = |id: &Id<_>| match &key.models {
        ModelSet::All => true,
        ModelSet::Only(named) => named.contains(id),
    };
    let models = draft.map(|draft| draft.models.as_slice()).unwrap_or_default();
    let model = models.iter().find(|model| callable(&model.id));
    model.map_or_else(|| NO_MODEL.to_owned(), |model| model.name.to_string())
}

/// Lines that make a call with the `openai` package. Names of models hold neither quotes nor backslashes.
fn python(gateway: &str, key: &str, model: &str) -> String {
    format!(
        "from openai import OpenAI\n\n\
         client = OpenAI(base_url=\"{gateway}/v1\", api_key=\"{key}\")\n\
         answer = client.chat.completions.create(\n    \
         model=\"{model}\",\n    \
         messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}],\n\
         )\n\
         print(answer.choices[0].message.content)"
    )
}
