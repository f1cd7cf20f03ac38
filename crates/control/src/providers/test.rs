use gatewarden_access::{Caller, actions};
use gatewarden_credentials::{Sealed, SealedFor, Secret};
use gatewarden_store::Giving;
use gatewarden_types::{Dialect, Id, Organization, Provider};
use reqwest::Response;
use serde::Deserialize;

use super::upstreams::{Failed, NotPermitted};
use crate::{App, Error, or_refuse};

/// How much of a provider's answer is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// How many models of a list are looked at.
const MOST_MODELS: usize = 1000;

/// What a test of a provider found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tested {
    /// It answered with its models.
    Works {
        /// From asking to the whole answer, in microseconds.
        latency_micros: u64,
        /// The provider's own names of its models, sorted.
        models: Vec<String>,
    },
    /// It answered with a failure.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// It answered, but not with a list of models.
    Unexpected {
        /// What came instead.
        why: &'static str,
    },
    /// It gave no answer.
    Unreachable {
        /// Why, as far as it is known.
        why: String,
    },
    /// Its address may not be called.
    NotAllowed(NotPermitted),
    /// Its stored secret cannot be opened.
    SecretLost,
}

impl Tested {
    /// What was found, as a sentence.
    pub fn text(&self) -> String {
        match self {
            Self::Works { latency_micros, models } => {
                let models = if models.len() == 1 { "1 model".to_owned() } else { format!("{} models", models.len()) };
                format!("Answered in {} ms with {models}.", latency_micros.div_ceil(1000))
            }
            Self::Refused { status } => format!("Answered with status {status}."),
            Self::Unexpected { why } => format!("Answered, but {why}."),
            Self::Unreachable { why } => format!("Could not be reached: {why}."),
            Self::NotAllowed(_) => "Was not called: its address is not allowed.".to_owned(),
            Self::SecretLost => "Was not called: its stored secret cannot be opened.".to_owned(),
        }
    }

    /// What helps, as a sentence; empty where it works.
    pub fn helps(&self) -> String {
        let text = match self {
            Self::Works { .. } => "",
            Self::Refused { status: 401 | 403 } => "Give the secret again, and check that it may list models.",
            Self::Refused { status: 404 } | Self::Unexpected { .. } => {
                "Check the base URL: most end in /v1, and /models is asked for below it."
            }
            Self::Refused { status: 300..=399 } => "It leads elsewhere. Give the address it leads to as base URL.",
            Self::Refused { status: 429 } => "It takes no more calls at the moment. Test again later.",
            Self::Refused { .. } => "It has trouble of its own. Test again later.",
            Self::Unreachable { .. } => "Check the host and port of the base URL, and that the service is running.",
            Self::NotAllowed(refused) => return refused.to_string(),
            Self::SecretLost => "Was the installation's secret key replaced? Give the secret again.",
        };
        text.to_owned()
    }
}

/// Asks a provider for its models, with its secret. That this was done is in the trail before anything is sent.
///
/// # Errors
/// When the caller may not. That the provider does not work is no error but what was found.
pub async fn test(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    provider: Id<Provider>,
) -> Result<Tested, Error> {
    let tx = app.store.change(caller, organization).await?;
    let asked = tx.permit_on::<actions::TestProvider>(provider, |_| Giving::Nothing).await;
    let (permit, row) = or_refuse!(tx, asked);
    let sealed = match row.record.credential {
        Some(name) => Some(tx.credential(&permit, name).await?),
        None => None,
    };
    tx.commit(permit).await?;
    let purpose = SealedFor::ProviderCredential { organization, provider };
    let secret = match sealed {
        None => None,
        Some(bytes) => match bytes.and_then(|bytes| app.sealing.open(&Sealed::from_bytes(bytes), purpose).ok()) {
            Some(secret) => Some(secret),
            None => return Ok(Tested::SecretLost),
        },
    };
    Ok(call(app, &row.record, secret.as_ref()).await)
}

async fn call(app: &App, provider: &Provider, secret: Option<&Secret<String>>) -> Tested {
    let began = app.clock.now();
    let models = match provider.dialect {
        Dialect::OpenAi => "/models",
        // It gives 20 unless asked for more.
        Dialect::Anthropic => "/models?limit=1000",
    };
    let response = match app.upstreams.get(provider, models, secret).await {
        Ok(response) => response,
        Err(Failed::NotPermitted(refused)) => return Tested::NotAllowed(refused),
        Err(Failed::Unreachable(why)) => return Tested::Unreachable { why },
    };
    let status = response.status().as_u16();
    if status != 200 {
        return Tested::Refused { status };
    }
    match body(response).await {
        Ok(None) => Tested::Unexpected { why: "its list of models is longer than 1 MiB" },
        Ok(Some(bytes)) => match model_names(&bytes) {
            None => Tested::Unexpected { why: "not with a list of models" },
            Some(models) => {
                let latency = app.clock.now().micros().saturating_sub(began.micros());
                Tested::Works { latency_micros: u64::try_from(latency).unwrap_or_default(), models }
            }
        },
        Err(Failed::NotPermitted(refused)) => Tested::NotAllowed(refused),
        Err(Failed::Unreachable(why)) => Tested::Unreachable { why },
    }
}

/// The body of an answer; none when it is too long.
async fn body(mut response: Response) -> Result<Option<Vec<u8>>, Failed> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|bad| Failed::from(&bad))? {
        if bytes.len() + chunk.len() > LONGEST {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// The names in a list of models, those that a model could be approved under; none when it is no such list.
fn model_names(bytes: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Listed>,
    }
    #[derive(Deserialize)]
    struct Listed {
        id: String,
    }
    let list: List = serde_json::from_slice(bytes).ok()?;
    let usable = |listed: Listed| listed.id.parse::<gatewarden_types::ModelName>().ok();
    let mut names: Vec<_> = list.data.into_iter().take(MOST_MODELS).filter_map(usable).map(|n| n.to_string()).collect();
    names.sort_unstable();
    names.dedup();
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_models_is_read_and_nothing_else() {
        let list = br#"{"object":"list","data":[{"id":"b"},{"id":"a","owned_by":"x"},{"id":"not a name"},{"id":"a"}]}"#;
        assert_eq!(model_names(list), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(model_names(b"<html>"), None);
        assert_eq!(model_names(b"{\"models\":[]}"), None);
    }

    #[test]
    fn every_finding_but_success_says_what_helps() {
        let works = Tested::Works { latency_micros: 1, models: vec!["a".to_owned()] };
        assert_eq!((works.text().as_str(), works.helps().as_str()), ("Answered in 1 ms with 1 model.", ""));
        let refused = NotPermitted::Private([127, 0, 0, 1].into());
        let others = [Tested::NotAllowed(refused), Tested::SecretLost, Tested::Unexpected { why: "x" }];
        let statuses = [302, 401, 404, 429, 500].map(|status| Tested::Refused { status });
        assert!(others.iter().chain(&statuses).all(|found| !found.helps().is_empty()));
    }
}
