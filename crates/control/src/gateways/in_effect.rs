use std::time::Duration;

use gatewarden_access::{Caller, actions::FollowTrail};
use gatewarden_types::{Gateway, GatewayState, Id, Job, Name, Organization, Seq, Timestamp};
use tokio::time::timeout;

use super::goes_on::goes_on_until;
use crate::{App, Error};

/// How far a change has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InEffect {
    /// The position of the change.
    pub at: Seq,
    /// How many gateways decide by it, or by what came after it.
    pub on: usize,
    /// The gateways on other hosts that do not, by name.
    pub behind: Vec<Name>,
    /// Whether the gateway in this process does not.
    pub behind_here: bool,
    /// Where one is behind: the instant from which a gateway that has heard nothing since refuses calls.
    pub stale_at: Option<Timestamp>,
}

impl InEffect {
    /// How many gateways there are.
    pub fn of(&self) -> usize {
        self.on + self.behind.len() + usize::from(self.behind_here)
    }

    /// Whether no gateway decides by anything older.
    pub fn everywhere(&self) -> bool {
        self.on == self.of()
    }
}

/// How far the change at `at` has come among the organization's gateways, once it holds on all of them or `patience` is
/// over. A gateway that is out of reach goes on by its last policy, for as long as the organization's settings let it.
///
/// # Errors
/// When the database cannot answer.
pub async fn in_effect(
    app: &App,
    organization: Id<Organization>,
    at: Seq,
    patience: Duration,
) -> Result<InEffect, Error> {
    let all = Gateways::of(app, organization).await?;
    let mut news = app.connected().news();
    let everywhere = async {
        // The sender lives as long as the app.
        while !all.look(app, at).everywhere() && news.changed().await.is_ok() {}
    };
    // Where patience is over, what is known now is the answer.
    drop(timeout(patience, everywhere).await);
    let come = all.look(app, at);
    let stale_at = if come.everywhere() { None } else { Some(goes_on_until(app, organization).await?) };
    Ok(InEffect { stale_at, ..come })
}

/// The gateways that a change has to come to.
struct Gateways {
    organization: Id<Organization>,
    elsewhere: Vec<Gateway>,
    epoch: u32,
}

impl Gateways {
    async fn of(app: &App, organization: Id<Organization>) -> Result<Self, Error> {
        let read = app.store.read(&Caller::system(Job::Follower, app.id()), organization).await?;
        let permit = read.permit::<FollowTrail>()?;
        let epoch = read.get::<_, Organization>(&permit, organization).await?.ok_or(Error::Gone)?.record.epoch;
        let all = read.list::<_, Gateway>(&permit).await?.into_iter().map(|row| row.record);
        let now = app.clock.now();
        // One that was removed while it was out of reach may still answer by what it had.
        let follows = |gateway: &Gateway| match gateway.state {
            GatewayState::Waiting => false,
            GatewayState::Enrolled | GatewayState::Draining => true,
            GatewayState::Removed => now < gateway.expires && !app.connected().has_dropped(gateway.id),
        };
        Ok(Self { organization, elsewhere: all.filter(follows).collect(), epoch })
    }

    fn look(&self, app: &App, at: Seq) -> InEffect {
        let there = |gateway: &Gateway| match gateway.state {
            GatewayState::Removed => app.connected().has_dropped(gateway.id),
            _ => app.connected().of(gateway.id).is_some_and(|seen| {
                // A position of a trail that was given up, or of none, says nothing.
                seen.epoch == Some(self.epoch) && seen.position >= Some(at)
            }),
        };
        let behind: Vec<Name> =
            self.elsewhere.iter().filter(|gateway| !there(gateway)).map(|gateway| gateway.name.clone()).collect();
        let here = app.connected().here(self.organization);
        let on = self.elsewhere.len() - behind.len() + usize::from(here.is_some_and(|position| position >= at));
        InEffect { at, on, behind, behind_here: here.is_some_and(|position| position < at), stale_at: None }
    }
}
