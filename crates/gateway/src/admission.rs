//! Who calls, and whether they may: from headers to a permit, by the same decision as the console's.

use std::sync::Arc;

use gatewarden_access::{Caller, Facts, KeyLimits, Permit, Reason, Subject, actions::InvokeModel, decide};
use gatewarden_credentials::ApiKey;
use gatewarden_types::{Actor, Digest, Id, Key, KeyOwner, Member, Model, Request, Target, Timestamp, Via};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName};
use uuid::Uuid;

use crate::{
    refusal::{Refusal, shown},
    snapshot::{Age, Endpoint, HeldKey, Policy, Snapshot},
};

/// Where clients put their key besides `Authorization: Bearer`.
static KEY_HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-portkey-api-key"),
    HeaderName::from_static("x-litellm-api-key"),
];

/// Reads the key from whichever header carries one. Clients of other gateways send a provider's key in
/// `Authorization` as well; what does not begin as a key of ours counts only when nothing else is there.
pub(crate) fn presented(headers: &HeaderMap) -> Result<ApiKey, Refusal> {
    let bearer = headers.get_all(AUTHORIZATION).iter();
    let named = KEY_HEADERS.iter().flat_map(|name| headers.get_all(name));
    let texts = bearer.chain(named).map(|value| without_scheme(value.as_bytes()));
    let (mut ours, mut any) = (None, false);
    for text in texts {
        any = true;
        if text.starts_with(b"gwk_") && ours.replace(text).is_some_and(|other| other != text) {
            return Err(Refusal::TwoKeys);
        }
    }
    let text = ours.ok_or(if any { Refusal::BadKey } else { Refusal::NoKey })?;
    ApiKey::parse(text).map_err(|_| Refusal::BadKey)
}

fn without_scheme(value: &[u8]) -> &[u8] {
    match value.split_at_checked(7) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer ") => rest.trim_ascii(),
        _ => value.trim_ascii(),
    }
}

/// A key whose secret was proven, with the policy it is judged by.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) key: Id<Key>,
    pub(crate) held: Arc<HeldKey>,
    pub(crate) policy: Arc<Policy>,
    /// The member it belongs to, if it is a member's and they are still there.
    pub(crate) owner: Option<Member>,
}

impl Holder {
    /// Finds the key and proves its secret. An unknown key costs the same comparison as a known one.
    pub(crate) fn find(snapshot: &Snapshot, key: &ApiKey) -> Result<Self, Refusal> {
        let held = snapshot.key(key.id());
        // Read before the secret is hashed, so that the wait for it passes meanwhile.
        let verifier = held.map_or(Digest([0; 32]), |held| held.verifier);
        let proven = key.matches(&verifier);
        Self::by(snapshot, key.id(), held.filter(|_| proven).ok_or(Refusal::BadKey)?)
    }

    /// The same key by a later policy, if its secret is still the one that was proven.
    pub(crate) fn anew(&self, snapshot: &Snapshot) -> Result<Self, Refusal> {
        let held = snapshot.key(self.key);
        let held = held.filter(|held| held.verifier == self.held.verifier).ok_or(Refusal::BadKey)?;
        Self::by(snapshot, self.key, held)
    }

    fn by(snapshot: &Snapshot, key: Id<Key>, held: &Arc<HeldKey>) -> Result<Self, Refusal> {
        let policy = snapshot.policy(held.organization).ok_or(Refusal::NotReady)?;
        let owner = policy.owner(&held.facts).cloned();
        Ok(Self { key, held: Arc::clone(held), policy: Arc::clone(policy), owner })
    }

    fn name(&self) -> String {
        self.held.name.to_string()
    }

    /// The refusal of a model that is not there for this caller.
    pub(crate) fn not_approved(&self, name: &str) -> Refusal {
        Refusal::NotApproved { key: self.name(), model: shown(name) }
    }

    /// What is known of the caller for one request; nothing by a policy that is not new enough to decide by.
    pub(crate) fn facts(&self, request: Id<Request>, now: Timestamp) -> Result<Facts, Refusal> {
        match self.policy.age() {
            Age::Current => {}
            Age::Coming => return Err(Refusal::NotReady),
            Age::Stale => return Err(Refusal::Stale),
        }
        let actor = match (self.held.facts.owner, &self.owner) {
            (KeyOwner::Organization, _) => Actor::Organization,
            (KeyOwner::Member(_), Some(member)) => Actor::Account(member.account),
            (KeyOwner::Member(_), None) => Actor::Anyone,
        };
        let caller = Caller { actor, via: Via::Key(self.key), request };
        self.policy.facts(caller, &self.held.facts, self.owner.as_ref(), now).ok_or(Refusal::NotReady)
    }

    /// Decides whether the caller may call models at all.
    pub(crate) fn may_call(&self, facts: &Facts) -> Result<(), Refusal> {
        let subject = Subject::new(Target::of(Id::<Model>::from_uuid(Uuid::nil())));
        decide::<InvokeModel>(facts, Some(subject)).map(drop).map_err(|refused| self.denied(refused.reason, None))
    }

    /// Decides whether the caller may call the model that goes by `name`.
    pub(crate) fn route(&self, facts: &Facts, name: &str) -> Result<Route, Refusal> {
        let Some(model) = self.policy.model(name) else {
            // Who may call no model is told so, and not which there are.
            self.may_call(facts)?;
            return Err(self.not_approved(name));
        };
        let permit = self.may_call_model(facts, model)?;
        let endpoint = self.policy.endpoint(model.provider).ok_or_else(|| self.not_approved(name))?;
        Ok(Route { permit, model: Arc::clone(model), endpoint: Arc::clone(endpoint) })
    }

    /// Decides whether the caller may call one approved model.
    pub(crate) fn may_call_model(&self, facts: &Facts, model: &Model) -> Result<Permit<InvokeModel>, Refusal> {
        let mut subject = Subject::new(Target::of(model.id));
        subject.limits = Some(KeyLimits::of_call(model.id));
        // The limits of this subject are the one model it is; what else may speak against it is not about the model.
        decide(facts, Some(subject)).map_err(|refused| match refused.reason {
            Reason::BeyondKey => self.denied(Reason::KeyModel, Some(model.name.as_str())),
            reason => self.denied(reason, None),
        })
    }

    fn denied(&self, reason: Reason, model: Option<&str>) -> Refusal {
        Refusal::Denied { key: self.name(), model: model.map(str::to_owned), reason }
    }
}

/// The right to make one call, and where it goes.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) permit: Permit<InvokeModel>,
    pub(crate) model: Arc<Model>,
    pub(crate) endpoint: Arc<Endpoint>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewarden_types::Entropy;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().expect("a header value"));
        }
        map
    }

    fn key(byte: u8) -> String {
        let id = Id::from_uuid(Uuid::from_u128(7));
        ApiKey::generate(id, &Entropy::new(move |bytes| bytes.fill(byte))).text().expose().clone()
    }

    #[test]
    fn a_key_is_found_in_every_header_that_clients_use() {
        let text = key(1);
        let bearer = format!("bearer {text}");
        for pair in [("authorization", bearer.as_str()), ("authorization", &text)] {
            assert!(presented(&headers(&[pair])).is_ok());
        }
        for name in KEY_HEADERS.iter().map(HeaderName::as_str) {
            assert!(presented(&headers(&[(name, &text)])).is_ok());
            assert!(presented(&headers(&[(name, &bearer), ("authorization", "Bearer sk-of-a-provider")])).is_ok());
            assert!(presented(&headers(&[(name, &text), ("authorization", &bearer)])).is_ok());
        }
    }

    #[test]
    fn no_key_a_bad_key_and_two_keys_are_refused() {
        let (one, two) = (key(1), key(2));
        let refused = |pairs: &[(&'static str, &str)]| presented(&headers(pairs)).map(drop);
        assert_eq!(refused(&[]), Err(Refusal::NoKey));
        assert_eq!(refused(&[("authorization", "Bearer sk-x")]), Err(Refusal::BadKey));
        assert_eq!(refused(&[("authorization", "Basic Z3drXw==")]), Err(Refusal::BadKey));
        assert_eq!(refused(&[("x-api-key", &one[..74])]), Err(Refusal::BadKey));
        assert_eq!(refused(&[("x-api-key", &one), ("api-key", &two)]), Err(Refusal::TwoKeys));
    }
}
