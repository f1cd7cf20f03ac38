//! Entries as events of the Open Cybersecurity Schema Framework, version 1.6.0, class Entity Management (3004).
//!
//! <https://schema.ocsf.io/1.6.0/classes/entity_management>. That class and not API Activity (6003), which asks for an
//! address that the caller came from: a trail holds none.

use gatewarden_access::ActionInfo;
use gatewarden_trail::{BadEntry, Change, Entry};
use gatewarden_types::{Actor, RecordKind, Seq, Target, Via};
use serde_json::{Value, json};
use uuid::Uuid;

const VERSION: &str = "1.6.0";
/// Category 3, Identity & Access Management; class 4 of it.
const CLASS: u64 = 3004;

/// What was done to the entity: the number and the caption of the activity.
type Activity = (u64, &'static str);
const CREATE: Activity = (1, "Create");
const READ: Activity = (2, "Read");
const UPDATE: Activity = (3, "Update");
const DELETE: Activity = (4, "Delete");

/// The event that an entry is.
///
/// # Errors
/// When a part cannot be written as JSON.
pub(super) fn event(entry: &Entry) -> Result<Value, BadEntry> {
    let (activity, entity) = activity(entry);
    let organization = entry.organization.map(|id| id.to_string());
    let uid = organization.as_deref().map_or_else(|| entry.seq.to_string(), |id| format!("{id}/{}", entry.seq));
    Ok(json!({
        "category_uid": 3,
        "category_name": "Identity & Access Management",
        "class_uid": CLASS,
        "class_name": "Entity Management",
        "activity_id": activity.0,
        "activity_name": activity.1,
        "type_uid": CLASS * 100 + activity.0,
        "severity_id": 1,
        "severity": "Informational",
        "status_id": 1,
        "status": "Success",
        "time": entry.at.micros().div_euclid(1000),
        "message": ActionInfo::named(&entry.action).map_or(entry.action.as_str(), |info| info.did),
        "actor": actor(entry),
        "entity": entity,
        "metadata": {
            "version": VERSION,
            "product": { "name": "Gatewarden", "vendor_name": "Gatewarden", "version": env!("CARGO_PKG_VERSION") },
            "log_name": "trail",
            "log_provider": "Gatewarden",
            "uid": uid,
            "event_code": entry.action,
            "sequence": entry.seq,
            "correlation_uid": entry.request.to_string(),
            "original_time": entry.at.rfc3339(),
            "tenant_uid": organization.unwrap_or_default(),
        },
        "unmapped": {
            "via": serde_json::to_value(entry.via)?,
            "grant": serde_json::to_value(entry.grant)?,
            "changes": serde_json::to_value(&entry.changes)?,
        },
    }))
}

/// What was done, and to what: what was made is told rather than what it was made in.
fn activity(entry: &Entry) -> (Activity, Value) {
    let about = |change: &&Change| change.id == entry.target.id;
    let target = entry.changes.iter().rev().find(about);
    let (activity, change) = match (target, entry.changes.first()) {
        (None, None) => (READ, None),
        (None, Some(made)) => (CREATE, Some(made)),
        (Some(Change { after: None, .. }), _) => (DELETE, target),
        // A trail begins with its organization.
        (Some(_), _) if entry.seq == 1 => (CREATE, target),
        (Some(_), _) => (UPDATE, target),
    };
    (activity, change.map_or_else(|| named(&entry.target), |change| changed(change, entry.seq)))
}

/// A record as an entry left it.
fn changed(change: &Change, seq: Seq) -> Value {
    let uid = id(change.kind, change.id);
    json!({ "uid": uid, "type": change.kind.word(), "version": seq.to_string(), "data": change.after })
}

/// What was read.
fn named(target: &Target) -> Value {
    let kind = RecordKind::ALL.iter().find(|kind| kind.prefix() == target.kind);
    json!({ "uid": target.text(), "type": kind.map_or(&*target.kind, |kind| kind.word()) })
}

fn actor(entry: &Entry) -> Value {
    let credential = match entry.via {
        Via::Key(key) => Some(key.to_string()),
        _ => None,
    };
    // Of the types of user that OCSF knows: 1 is a person, 3 the system, 4 a service.
    let mut actor = match entry.actor {
        Actor::Account(account) => json!({ "user": { "uid": account.to_string(), "type_id": 1, "type": "User" } }),
        Actor::Organization => {
            let uid = entry.organization.map(|id| id.to_string()).unwrap_or_default();
            json!({ "user": { "uid": uid, "type_id": 4, "type": "Service" } })
        }
        Actor::System(job) => {
            json!({ "user": { "uid": job, "type_id": 3, "type": "System" }, "app_name": "Gatewarden" })
        }
        Actor::Anyone => json!({ "user": { "name": "anyone", "type_id": 0, "type": "Unknown" } }),
    };
    if let (Some(credential), Some(user)) = (credential, actor.get_mut("user").and_then(Value::as_object_mut)) {
        user.insert("credential_uid".to_owned(), credential.into());
    }
    if let (Via::Session(session), Some(actor)) = (entry.via, actor.as_object_mut()) {
        actor.insert("session".to_owned(), json!({ "uid": session.to_string() }));
    }
    actor
}

/// A record's id as text.
pub(super) fn id(kind: RecordKind, id: Uuid) -> String {
    Target { kind: kind.prefix().into(), id }.text()
}
