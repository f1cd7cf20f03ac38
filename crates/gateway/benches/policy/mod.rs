//! What the benchmarks of the gateway decide by: organizations as a control plane would send them, of any size.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use gatewarden_access::builtin_powers;
use gatewarden_credentials::{ApiKey, RootKey, SealedFor, Secret};
use gatewarden_gateway::{Body, FeedEvent};
use gatewarden_types::{
    AnyRecord, Builtin, Dialect, Digest, Entropy, Id, Key, KeyOwner, KeyState, Kind, Limits, Member, MemberState,
    Model, ModelSet, ModelState, Organization, OrganizationState, PerMinute, Provider, Reach, Role, StaleAfter,
    Timestamp, Visibility,
};

/// What callers name the model that is called under load.
pub const MODEL: &str = "gpt-4o-mini";
/// How many keys the organizations have that hold a great many together.
pub const KEYS_EACH: usize = 10_000;
/// How many keys a member has on average.
const KEYS_OF_MEMBER: usize = 10;
/// In microseconds since 1970; what is measured does not depend on it.
const MADE: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// Numbers that differ and spread, quickly. Nothing here has to be secret.
pub fn entropy() -> Entropy {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Entropy::new(|bytes| {
        for chunk in bytes.chunks_mut(8) {
            let mut value = NEXT.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
            value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let value = (value ^ (value >> 31)).to_le_bytes();
            chunk.copy_from_slice(value.get(..chunk.len()).unwrap_or_default());
        }
    })
}

/// What seals the providers' secrets.
pub fn root() -> RootKey {
    RootKey::generate(&Entropy::new(|bytes| bytes.fill(7)))
}

fn id<K: Kind>() -> Id<K> {
    Id::new(MADE, &entropy())
}

/// An organization with `keys` keys, and the text of every `shown`-th of them. Each of `models` is a name and the base URL
/// of the provider that runs it.
pub fn organization(keys: usize, shown: usize, models: &[(&str, &str)]) -> (FeedEvent, Vec<String>) {
    let limits = limits();
    let organization = Organization {
        id: id(),
        slug: "acme".parse().expect("a slug"),
        name: "Acme".parse().expect("a name"),
        state: OrganizationState::Active,
        visibility: Visibility { usage: Reach::Own },
        limits,
        epoch: 1,
        stale_after: StaleAfter::default(),
    };
    let roles = [Builtin::Owner, Builtin::Admin, Builtin::Member, Builtin::Viewer].map(|builtin| Role {
        id: id(),
        name: format!("{builtin:?}").parse().expect("a name"),
        builtin: Some(builtin),
        powers: builtin_powers(builtin),
    });
    let role = roles[2].id;
    let members: Vec<Member> = (0..keys.div_ceil(KEYS_OF_MEMBER))
        .map(|_| Member { id: id(), account: id(), role, state: MemberState::Active })
        .collect();
    let mut records: Vec<AnyRecord> = roles.into_iter().map(AnyRecord::Role).collect();
    let (mut bodies, mut approved) = (Vec::new(), Vec::new());
    for (name, base_url) in models {
        let (provider, body) = provider(organization.id, base_url);
        let upstream = format!("{name}-2024-07-18").parse().expect("a name");
        let name = name.parse().expect("a name");
        let model = Model { id: id(), name, provider: provider.id, upstream, state: ModelState::Approved };
        approved.push(model.id);
        bodies.push(body);
        records.extend([AnyRecord::Provider(provider), AnyRecord::Model(model)]);
    }
    let mut texts = Vec::new();
    for (at, member) in (0..keys).zip(members.iter().cycle()) {
        // Half of them name their models, the others may call all.
        let models =
            if at.is_multiple_of(2) { ModelSet::All } else { ModelSet::Only(approved.iter().copied().collect()) };
        let (secret, key) = key(at, member.id, models);
        if at.is_multiple_of(shown) {
            texts.push(secret.text().expose().clone());
        }
        records.push(AnyRecord::Key(key));
    }
    records.extend(members.into_iter().map(AnyRecord::Member));
    let id = organization.id;
    records.push(AnyRecord::Organization(organization));
    (FeedEvent::Base { organization: id, seq: 1, head: Digest([0; 32]), continues: false, records, bodies }, texts)
}

/// More than any benchmark uses up.
fn limits() -> Limits {
    let most = PerMinute::try_from(u64::from(PerMinute::MOST)).ok();
    Limits { requests: most, tokens: most }
}

fn provider(organization: Id<Organization>, base_url: &str) -> (Provider, Body) {
    let id = id();
    let purpose = SealedFor::ProviderCredential { organization, provider: id };
    let secret = Secret::new("sk-bench-0123456789abcdef0123456789abcdef".to_owned());
    let sealed = root().sealing().seal(&secret, purpose, &entropy()).expect("seals");
    let provider = Provider {
        id,
        name: "Mock".parse().expect("a name"),
        dialect: Dialect::OpenAi,
        base_url: base_url.parse().expect("a base URL"),
        credential: Some(sealed.reference()),
    };
    (provider, Body { provider: id, name: sealed.reference(), sealed })
}

fn key(at: usize, owner: Id<Member>, models: ModelSet) -> (ApiKey, Key) {
    let secret = ApiKey::generate(id(), &entropy());
    let key = Key {
        id: secret.id(),
        name: format!("Build server {at}").parse().expect("a name"),
        owner: KeyOwner::Member(owner),
        levels: Key::usual_levels(),
        models,
        limits: limits(),
        expires: at.is_multiple_of(3).then(|| MADE.plus_seconds(3_600 * 24 * 365)),
        verifier: secret.verifier(),
        state: KeyState::Active,
    };
    (secret, key)
}
