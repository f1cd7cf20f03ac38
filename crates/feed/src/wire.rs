//! Events as JSON, which is what stands inside the frames.

use base64::{Engine, engine::general_purpose::STANDARD};
use gatewarden_credentials::Sealed;
use gatewarden_types::{AnyRecord, CredentialRef, Digest, Id, Organization, Provider, RecordKind, Seq, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Body, FeedEvent};

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
enum Message {
    Base {
        organization: Id<Organization>,
        seq: Seq,
        head: Digest,
        continues: bool,
        records: Vec<(RecordKind, Value)>,
        bodies: Vec<SentBody>,
    },
    Entry {
        organization: Id<Organization>,
        entry: String,
        bodies: Vec<SentBody>,
    },
    Behind {
        organization: Id<Organization>,
        problem: String,
    },
    Removed {
        organization: Id<Organization>,
    },
    Current {
        organization: Id<Organization>,
        at: Timestamp,
    },
    CaughtUp {},
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SentBody {
    provider: Id<Provider>,
    name: CredentialRef,
    sealed: String,
}

/// The event as bytes.
pub(crate) fn write(event: &FeedEvent) -> Result<Vec<u8>, serde_json::Error> {
    let message = match event {
        FeedEvent::Base { organization, seq, head, continues, records, bodies } => Message::Base {
            organization: *organization,
            seq: *seq,
            head: *head,
            continues: *continues,
            records: records.iter().map(AnyRecord::image).collect::<Result<_, _>>()?,
            bodies: bodies.iter().map(sent).collect(),
        },
        FeedEvent::Entry { organization, bytes, bodies } => Message::Entry {
            organization: *organization,
            entry: STANDARD.encode(bytes),
            bodies: bodies.iter().map(sent).collect(),
        },
        FeedEvent::Behind { organization, problem } => {
            Message::Behind { organization: *organization, problem: problem.clone() }
        }
        FeedEvent::Removed(organization) => Message::Removed { organization: *organization },
        FeedEvent::Current { organization, at } => Message::Current { organization: *organization, at: *at },
        FeedEvent::CaughtUp => Message::CaughtUp {},
    };
    serde_json::to_vec(&message)
}

/// The event that these bytes are; else what is wrong with them.
pub(crate) fn read(bytes: &[u8]) -> Result<FeedEvent, String> {
    let message: Message = serde_json::from_slice(bytes).map_err(|bad| bad.to_string())?;
    Ok(match message {
        Message::Base { organization, seq, head, continues, records, bodies } => {
            let record = |(kind, image): (RecordKind, Value)| {
                AnyRecord::read(kind, &image).map_err(|bad| format!("a {}: {bad}", kind.word()))
            };
            let records = records.into_iter().map(record).collect::<Result<_, _>>()?;
            FeedEvent::Base { organization, seq, head, continues, records, bodies: came(bodies)? }
        }
        Message::Entry { organization, entry, bodies } => {
            FeedEvent::Entry { organization, bytes: decoded(&entry)?, bodies: came(bodies)? }
        }
        Message::Behind { organization, problem } => FeedEvent::Behind { organization, problem },
        Message::Removed { organization } => FeedEvent::Removed(organization),
        Message::Current { organization, at } => FeedEvent::Current { organization, at },
        Message::CaughtUp {} => FeedEvent::CaughtUp,
    })
}

fn sent(body: &Body) -> SentBody {
    SentBody { provider: body.provider, name: body.name, sealed: STANDARD.encode(body.sealed.as_bytes()) }
}

fn came(bodies: Vec<SentBody>) -> Result<Vec<Body>, String> {
    let body = |SentBody { provider, name, sealed }| {
        Ok(Body { provider, name, sealed: Sealed::from_bytes(decoded(&sealed)?) })
    };
    bodies.into_iter().map(body).collect()
}

fn decoded(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|bad| bad.to_string())
}
