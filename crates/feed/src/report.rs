use gatewarden_types::{Digest, Id, Organization, Seq};
use serde::{Deserialize, Serialize};

/// How a gateway on another host asks to be let in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The digest of the secret that it shows from now on. The secret itself stays with the gateway.
    pub verifier: Digest,
}

/// That it was let in.
#[derive(Debug, Serialize, Deserialize)]
pub struct Enrolled {
    /// The organization that it follows.
    pub organization: Id<Organization>,
}

/// What a gateway on another host says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The position of the policy that its calls are decided by; none while it has no policy.
    pub position: Option<Seq>,
    /// Which of the organization's trails that is a position of; none while it has no policy.
    pub epoch: Option<u32>,
    /// Its release.
    pub release: String,
    /// What it could not read, so that it keeps an older policy.
    pub problem: Option<String>,
}
