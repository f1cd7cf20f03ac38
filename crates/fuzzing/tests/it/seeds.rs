//! Well-formed inputs of each check, from which a fuzzer sets out.

use std::iter::repeat_n;

use gatewarden_credentials::{ApiKey, GatewayCredential, SealedFor, Secret, Token};
use gatewarden_feed::{RefusalCode, Tokens, UsageRecord, usage_batch};
use gatewarden_trail::{Change, Checkpoint, Entry, Frontier, Proof, Signer, Tiler, leaf_hash};
use gatewarden_types::{
    Actor, AnyRecord, Builtin, Dialect, Digest, Entropy, Gateway, GatewayState, Grant, Id, Job, Key, KeyOwner,
    KeyState, Kind, Limits, Member, MemberState, Model, ModelSet, ModelState, Organization, OrganizationState,
    Provider, Reach, Role, Seq, StaleAfter, Target, Timestamp, Via, Visibility,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The log of the checks.
const ORIGIN: &str = "gatewarden/org_00000000000000000000000001/1";

type Seed = (&'static str, &'static str, Vec<u8>);

/// A target, a name in its corpus, and the input.
pub fn seeds() -> Vec<Seed> {
    let (policy, calls) = (messages(), [chats(), answers()].concat());
    let changed = |kind: u8| [&[kind, 1, 0, 4][..], policy.as_bytes()].concat();
    let cut = |kind: u8| [&[kind, 1, 0, 4, 99][..], policy.as_bytes()].concat();
    let mut seeds = vec![
        ("feed_event", "seed-policy", policy.clone().into_bytes()),
        ("feed_frames", "seed-whole", cut(0)),
        ("feed_frames", "seed-changed", cut(1)),
        ("feed_frames", "seed-truncated", cut(2)),
        ("kept_policy", "seed-whole", changed(0)),
        ("kept_policy", "seed-truncated", changed(2)),
        ("usage_batch", "seed-calls", usage_batch::encode(&usage())),
    ];
    seeds.extend(calls);
    seeds.extend(keys());
    seeds.extend(trail());
    seeds
}

fn id<K: Kind>(bits: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(bits))
}

fn entropy() -> Entropy {
    Entropy::new(|bytes| bytes.fill(7))
}

fn credential() -> GatewayCredential {
    GatewayCredential::new(id(9), Token::generate(&entropy()))
}

fn keys() -> Vec<Seed> {
    let key = ApiKey::generate(id(1), &entropy()).text().expose().clone();
    let credential = credential().text().expose().clone();
    vec![
        ("key_text", "seed-key", key.into_bytes()),
        ("gateway_credential", "seed-credential", credential.clone().into_bytes()),
        ("gateway_credential", "seed-in-white-space", format!(" {credential}\n").into_bytes()),
    ]
}

fn organization() -> Organization {
    Organization {
        id: id(1),
        slug: "northwind".parse().unwrap(),
        name: "Northwind".parse().unwrap(),
        state: OrganizationState::Active,
        visibility: Visibility { usage: Reach::Own },
        limits: Limits { requests: "60".parse().ok(), tokens: None },
        epoch: 1,
        stale_after: StaleAfter::default(),
    }
}

fn key() -> Key {
    Key {
        id: id(8),
        name: "CI".parse().unwrap(),
        owner: KeyOwner::Member(id(4)),
        levels: Key::usual_levels(),
        models: ModelSet::Only([id(6)].into()),
        limits: Limits::default(),
        expires: Some(Timestamp::from_micros(1_800_000_000_000_000)),
        verifier: Digest([8; 32]),
        state: KeyState::Active,
    }
}

/// Everything that a policy is made of, the provider with its secret.
fn records() -> (Vec<AnyRecord>, Value) {
    let purpose = SealedFor::ProviderCredential { organization: id(1), provider: id(5) };
    let sealed = credential().sealing().seal(&Secret::new("sk-secret".to_owned()), purpose, &entropy()).unwrap();
    let role = |bits, builtin: Builtin| {
        let powers = [("model.invoke".to_owned(), Reach::All)].into();
        AnyRecord::Role(Role {
            id: id(bits),
            name: format!("{builtin:?}").parse().unwrap(),
            builtin: Some(builtin),
            powers,
        })
    };
    let (base_url, name) = ("https://api.example.com/v1".parse().unwrap(), "Demo".parse().unwrap());
    let credential = Some(sealed.reference());
    let records = vec![
        AnyRecord::Organization(organization()),
        role(2, Builtin::Owner),
        role(3, Builtin::Member),
        AnyRecord::Member(Member { id: id(4), account: id(4), role: id(3), state: MemberState::Active }),
        AnyRecord::Provider(Provider { id: id(5), name, dialect: Dialect::OpenAi, base_url, credential }),
        AnyRecord::Model(Model {
            id: id(6),
            name: "fast".parse().unwrap(),
            provider: id(5),
            upstream: "gpt-4o".parse().unwrap(),
            state: ModelState::Approved,
        }),
        AnyRecord::Key(key()),
        AnyRecord::Gateway(Gateway {
            id: id(9),
            name: "edge".parse().unwrap(),
            state: GatewayState::Enrolled,
            verifier: Digest([9; 32]),
            expires: Timestamp::from_micros(1_800_000_000_000_000),
        }),
    ];
    let sealed = base64(sealed.as_bytes());
    (records, json!([{"provider": id::<Provider>(5), "name": credential, "sealed": sealed}]))
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

fn entry(seq: Seq, changes: Vec<Change>) -> Entry {
    Entry {
        v: Entry::version(),
        organization: Some(id(1)),
        seq,
        at: Timestamp::from_micros(1),
        actor: Actor::System(Job::Follower),
        via: Via::System,
        request: id(7),
        action: "key.create".to_owned(),
        target: Target::of(organization().id),
        grant: Grant::System { job: Job::Follower },
        changes,
    }
}

/// A policy and what comes after it, a message in each line; entries stand as they are.
fn messages() -> String {
    let (records, bodies) = records();
    let records: Vec<_> = records.iter().map(|record| record.image().unwrap()).collect();
    let (organization, head) = (id::<Organization>(1), Digest([1; 32]));
    let text = |entry: Entry| String::from_utf8(entry.to_bytes().unwrap()).unwrap();
    let revoked = Key { state: KeyState::Revoked, ..key() };
    [
        json!({
            "event": "base", "organization": organization, "seq": 1, "head": head, "continues": true,
            "records": records, "bodies": bodies,
        })
        .to_string(),
        text(entry(2, vec![Change::put(&revoked).unwrap()])),
        text(entry(3, vec![Change::removed::<Key>(id(8))])),
        json!({"event": "current", "organization": organization, "at": 5}).to_string(),
        json!({"event": "caught_up"}).to_string(),
        json!({"event": "behind", "organization": organization, "problem": "a row"}).to_string(),
        json!({"event": "removed", "organization": organization}).to_string(),
    ]
    .join("\n")
}

fn usage() -> [UsageRecord; 2] {
    let allowed = UsageRecord {
        request: id(7),
        at: Timestamp::from_micros(5),
        organization: id(1),
        seq: 3,
        key: id(8),
        member: Some(id(4)),
        account: Some(id(4)),
        model: Some(id(6)),
        provider: Some(id(5)),
        status: 200,
        refused: None,
        streamed: true,
        complete: true,
        tokens: Some(Tokens { read: 3, written: 5 }),
        total_micros: 99,
        upstream_micros: Some(70),
    };
    let refused = RefusalCode::try_from("key_revoked".to_owned()).ok();
    [allowed.clone(), UsageRecord { status: 401, refused, model: None, tokens: None, ..allowed }]
}

fn chats() -> Vec<Seed> {
    let bodies = [
        ("seed-plain", r#"{"model":"fast","messages":[{"role":"user","content":"Hi \u00e9"}],"max_tokens":9}"#),
        ("seed-stream", "{\"messages\":[],\"stream\":true,\n\"model\" : \"f\\u0061st\" }\n"),
        ("seed-options", r#"{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":false,"x":[1e2,null]}}"#),
        (
            "seed-null",
            r#"{"stream_options":null,"stream":null,"model":"fast","max_completion_tokens":18446744073709551615}"#,
        ),
        ("seed-refused", r#"{"model":"fast","Model":"dear","api_base":"http://evil.example"}"#),
        ("seed-deep", &format!("{{\"model\":\"fast\",\"tools\":{}{}}}", "[".repeat(300), "]".repeat(300))),
    ];
    let of = |target| bodies.iter().map(move |(name, body)| (target, *name, body.as_bytes().to_vec()));
    of("chat_body").chain(of("messages_body")).collect()
}

fn answers() -> Vec<Seed> {
    let streams = [
        (
            "seed-openai",
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n\
             data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\ndata: [DONE]\n\n",
        ),
        (
            "seed-anthropic",
            "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,\
             \"cache_read_input_tokens\":2,\"output_tokens\":1}}}\r\n\r\nevent: message_delta\ndata: \
             {\"usage\":{\"output_tokens\":5}}\n\n",
        ),
        ("seed-plain", r#"{"choices":[{}],"usage":{"prompt_tokens":3,"completion_tokens":5}}"#),
    ];
    streams.map(|(name, stream)| ("sse", name, format!("\x05\x0b{stream}").into_bytes())).into()
}

/// A trail of three entries in every form in which somebody may verify it.
fn trail() -> Vec<Seed> {
    let signer = Signer::from_seed(&[7; 32]).unwrap();
    let (mut tree, mut tiler, mut leaves) = (Frontier::default(), Tiler::default(), Vec::new());
    let entries: Vec<Vec<u8>> =
        (1..=3).map(|seq| entry(seq, vec![Change::put(&organization()).unwrap()]).to_bytes().unwrap()).collect();
    for bytes in &entries {
        tree.push(leaf_hash(bytes));
        leaves.push(gatewarden_trail::Leaf { hash: leaf_hash(bytes), frontier: tree.clone() });
        assert!(tiler.push(bytes).unwrap().is_empty());
    }
    let note = signer.sign(&Checkpoint { origin: ORIGIN.to_owned(), size: 3, root: tree.root() });
    let leaves = (1..).zip(leaves).collect();
    let proof = Proof::new(2, entries[1].clone(), (3, note.clone()), &leaves).unwrap();
    let files = tiler.finish().0;
    let length = u16::try_from(files[0].bytes.len()).unwrap().to_be_bytes();
    let folder = [&[2][..], &length, &files[0].bytes, &files[1].bytes].concat();
    let sizes = [5_u64.to_be_bytes(), 3_u64.to_be_bytes()].concat();
    vec![
        ("checkpoint", "seed-cosigned", format!("{note}\u{2014} witness AAAAAAAA\n").into_bytes()),
        ("checkpoint", "seed-key", signer.verifying_key().note_form(ORIGIN).into_bytes()),
        ("checkpoint", "seed-note", note.into_bytes()),
        ("proof_and_tiles", "seed-bundle", folder),
        ("proof_and_tiles", "seed-proof", proof.text().into_bytes()),
        ("proof_and_tiles", "seed-sizes", sizes.into_iter().chain(repeat_n(1, 32 * 4)).collect()),
    ]
}
