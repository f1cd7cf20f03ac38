use std::time::Duration;

use gatewarden_access::{Caller, actions::FollowTrail};
use gatewarden_types::{Gateway, GatewayState, Id, Job, Name, Organization, Seq};
use tokio::time::timeout;

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
    let gateways = enrolled(app, organization).await?;
    let mut news = app.connected().news();
    let everywhere = async {
        // The sender lives as long as the app.
        while !look(app, organization, at, &gateways).everywhere() && news.changed().await.is_ok() {}
    };
    // Where patience is over, what is known now is the answer.
    drop(timeout(patience, everywhere).await);
    Ok(look(app, organization, at, &gateways))
}

fn look(app: &App, organization: Id<Organization>, at: Seq, gateways: &[Gateway]) -> InEffect {
    let there = |gateway: &Gateway| app.connected().of(gateway.id).and_then(|seen| seen.position) >= Some(at);
    let behind: Vec<Name> =
        gateways.iter().filter(|gateway| !there(gateway)).map(|gateway| gateway.name.clone()).collect();
    let here = app.connected().here(organization);
    let on = gateways.len() - behind.len() + usize::from(here.is_some_and(|position| position >= at));
    InEffect { at, on, behind, behind_here: here.is_some_and(|position| position < at) }
}

async fn enrolled(app: &App, organization: Id<Organization>) -> Result<Vec<Gateway>, Error> {
    let read = app.store.read(&Caller::system(Job::Follower, app.id()), organization).await?;
    let permit = read.permit::<FollowTrail>()?;
    let all = read.list::<_, Gateway>(&permit).await?.into_iter().map(|row| row.record);
    Ok(all.filter(|gateway| matches!(gateway.state, GatewayState::Enrolled | GatewayState::Draining)).collect())
}
