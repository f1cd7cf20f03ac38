//! How far a revocation has come.

use gatewarden_types::{Seq, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    http::{Answer, KeyHolder},
    revocation::Come,
};

/// How far a revocation has come among the organization's gateways.
#[derive(Serialize, JsonSchema)]
pub struct Revocation {
    /// The position of its entry in the trail.
    pub position: u64,
    /// How many gateways decide by it.
    pub in_effect_on: usize,
    /// How many gateways there are.
    pub gateways: usize,
    /// Whether every gateway decides by it.
    pub everywhere: bool,
    /// The gateways that have not said yet that they do, by name; empty also where the key may not see gateways.
    pub behind: Vec<String>,
    /// The instant from which those refuse all calls, where they hear nothing until then; null where it is in effect
    /// everywhere.
    pub behind_until: Option<String>,
}

/// What the query of a revocation asks.
#[derive(Deserialize)]
pub struct Asked {
    /// Whether to wait for all gateways.
    #[serde(default)]
    pub wait: bool,
}

/// Answers how far the revocation at `position` has come, once it is in effect everywhere or the wait is over.
pub async fn answer(sender: &KeyHolder, position: Seq, wait: bool) -> Answer {
    let (app, organization) = (&sender.site.app, sender.organization);
    let Come { in_effect, behind } = Come::of(app, &sender.caller, organization, position, wait).await?;
    let everywhere = in_effect.everywhere();
    let revocation = Revocation {
        position,
        in_effect_on: in_effect.on,
        gateways: in_effect.of(),
        everywhere,
        behind,
        behind_until: in_effect.stale_at.map(Timestamp::rfc3339),
    };
    sender.answer(200, Some(position), &revocation)
}
