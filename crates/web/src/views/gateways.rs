//! `/o/{slug}/gateways`: where calls are answered.

use askama::Template;

use super::{Field, Shell};

/// `/o/{slug}/gateways`. The form posts to `/o/{slug}/gateways`: `name`. Acts on a row post to `…/{id}/drain`,
/// `…/{id}/resume` and `…/{id}/remove`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "gateways/gateways.html")]
pub struct Gateways {
    /// The frame.
    pub shell: Shell,
    /// The gateway in the program itself, where it runs with one.
    pub here: Option<InThisProgram>,
    /// The gateways on other hosts.
    pub rows: Vec<GatewayRow>,
    /// How long one that is out of reach goes on, in words.
    pub goes_on: String,
    /// Until when one does that is out of reach now, at most.
    pub goes_on_until: String,
    /// Whether this person may add one.
    pub can_add: bool,
    /// What the next one is to be called.
    pub name: Field,
}

/// The gateway in the program itself.
#[derive(Clone, Debug, Default)]
pub struct InThisProgram {
    /// Where programs reach it.
    pub url: String,
    /// How far it has come.
    pub progress: Progress,
    /// The program's release.
    pub release: String,
}

/// How far a gateway has come, as shown.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The position of its policy.
    pub position: String,
    /// How many entries it is behind, in words.
    pub lag: String,
}

/// A gateway on another host as listed.
#[derive(Clone, Debug, Default)]
pub struct GatewayRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: GatewayState,
    /// When its token ends or ended, in words; empty once it has enrolled.
    pub token: String,
    /// How far it has come; none while it has no policy.
    pub progress: Option<Progress>,
    /// Its release; empty while that is not known.
    pub release: String,
    /// When it was last heard, in words; empty where it was not since the program started.
    pub last_seen: String,
    /// What it could not read; empty for nothing.
    pub problem: String,
    /// The seq of its last entry, sent as `version`.
    pub version: String,
    /// May be drained by the viewer.
    pub can_drain: bool,
    /// May be let work again by the viewer.
    pub can_resume: bool,
    /// May be removed by the viewer.
    pub can_remove: bool,
}

/// Where a gateway stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GatewayState {
    /// Its program can enrol.
    #[default]
    Waiting,
    /// Its token has expired before it enrolled.
    Expired,
    /// It follows and answers.
    Connected,
    /// It answers, and cannot do something that it should.
    Ailing,
    /// It was not heard lately.
    Away,
    /// It answers, and says that it is not ready.
    Draining,
    /// It is to drain, and was not heard lately.
    DrainingAway,
}

impl GatewayState {
    /// What people read.
    pub fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Expired => "Token expired",
            Self::Connected => "Connected",
            Self::Ailing => "Needs attention",
            Self::Away => "Away",
            Self::Draining => "Draining",
            Self::DrainingAway => "Draining, away",
        }
    }

    /// The class that colours it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Connected => "good",
            Self::Ailing | Self::Waiting | Self::Draining => "warn",
            Self::Away | Self::DrainingAway => "bad",
            Self::Expired => "off",
        }
    }
}

/// A gateway's token, shown this once, and what to do with it.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "gateways/token.html")]
pub struct NewGateway {
    /// The frame.
    pub shell: Shell,
    /// The gateway's name.
    pub name: String,
    /// The whole token.
    pub token: String,
    /// The command that enrols it.
    pub enroll: String,
    /// The command that runs it.
    pub run: String,
}
