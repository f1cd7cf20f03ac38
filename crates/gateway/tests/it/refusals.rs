use gatewarden_gateway::{FeedEvent, UsageRecord};
use gatewarden_trail::Change;
use gatewarden_types::{
    Builtin, Feature, KeyOwner, KeyState, Level, Member, MemberState, ModelSet, ModelState, Organization,
    OrganizationState, Timestamp,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{HEAD, NOW, Records, World, entropy, id, question, refused};

async fn refusal(world: &World, secret: &str, model: &str) -> (u16, String, String) {
    refused(world.chat(secret, &question(model, false)).await).await
}

#[tokio::test]
async fn strangers_cannot_tell_unknown_from_malformed_from_wrong() {
    let world = World::new().await;
    let unknown = gatewarden_credentials::ApiKey::generate(id(), &entropy()).text();
    // The right id with another secret.
    let wrong = gatewarden_credentials::ApiKey::generate(world.key.id, &entropy()).text();
    let mut answers = Vec::new();
    for secret in [unknown.expose(), wrong.expose(), "gwk_x", "sk-other", &world.secret[..74]] {
        let response = world.chat(secret, &question("fast", false)).await;
        let mut headers = response.headers().clone();
        assert!(headers.remove("x-request-id").is_some() && headers.remove("date").is_some());
        let pairs: Vec<_> = headers.into_iter().map(|(name, value)| format!("{name:?}: {value:?}")).collect();
        answers.push((pairs, refused(response).await));
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    assert_eq!((answers[0].1.0, answers[0].1.1.as_str()), (401, "invalid_api_key"));
    let none = world.post(&question("fast", false)).send().await.expect("answers");
    assert_eq!(refused(none).await.1, "missing_api_key");
    assert_eq!(world.upstream.calls(), 0);
    assert_eq!(world.all_usage().await, Vec::<UsageRecord>::new());
}

#[tokio::test]
async fn a_revoked_and_an_expired_key_are_told_so_by_their_holder_alone() {
    let mut world = World::new().await;
    let owner = KeyOwner::Member(world.records.member.id);
    let revoked = world.add_key(owner, |key| key.state = KeyState::Revoked).await;
    let (status, code, message) = refusal(&world, &revoked, "fast").await;
    assert_eq!((status, code.as_str()), (401, "key_revoked"));
    assert!(message.contains("'CI'") && message.contains("revoked") && message.contains("admin"), "{message}");
    let lapses = world.add_key(owner, |key| key.expires = Some(Timestamp::from_micros(NOW + 1))).await;
    assert_eq!(world.chat(&lapses, &question("fast", false)).await.status(), 200);
    world.now.store(NOW + 1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(refusal(&world, &lapses, "fast").await.1, "key_expired");
    let codes: Vec<_> = world.used(3).await.iter().map(|record| record.refused.as_deref()).collect();
    assert_eq!(codes, [Some("key_revoked"), None, Some("key_expired")]);
}

// proves LL-079
#[tokio::test]
async fn revoking_takes_effect_with_the_entry() {
    let world = World::new().await;
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200);
    let mut key = world.key.clone();
    key.state = KeyState::Revoked;
    world.put(vec![Change::put(&key).expect("writes")]).await;
    // The decision about the caller comes first: a revoked key learns nothing of the models.
    for model in ["fast", "gpt-4o"] {
        assert_eq!(refusal(&world, &world.secret, model).await.1, "key_revoked");
    }
    assert_eq!(world.upstream.calls(), 1);
}

#[tokio::test]
async fn a_public_provider_is_not_called_in_the_clear() {
    let world = World::new().await;
    let base_url = "http://1.1.1.1/v1".parse().expect("a base URL");
    let provider = gatewarden_types::Provider { base_url, ..world.records.provider.clone() };
    world.put(vec![Change::put(&provider).expect("writes")]).await;
    let (status, code, message) = refusal(&world, &world.secret, "fast").await;
    assert_eq!((status, code.as_str()), (502, "unencrypted_address"));
    assert!(message.contains("'Demo'") && message.contains("https://"), "{message}");
}

#[tokio::test]
async fn a_body_that_comes_slowly_does_not_outlast_a_revocation() {
    let world = World::new().await;
    let body = question("fast", false).to_string();
    let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connects");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\nexpect: 100-continue\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        world.secret,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    // It says so once the key is proven.
    let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut go_on).await.expect("the body is asked for");
    let mut key = world.key.clone();
    key.state = KeyState::Revoked;
    world.put(vec![Change::put(&key).expect("writes")]).await;
    stream.write_all(body.as_bytes()).await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("key_revoked"), "{answer}");
    assert_eq!(world.upstream.calls(), 0);
}

// proves RQ-044, RQ-076
#[tokio::test]
async fn a_key_has_no_more_power_than_its_owner_has_now() {
    let world = World::new().await;
    let member = world.records.member.clone();
    let suspended = Member { state: MemberState::Suspended, ..member.clone() };
    world.put(vec![Change::put(&suspended).expect("writes")]).await;
    assert_eq!(refusal(&world, &world.secret, "fast").await.1, "member_suspended");
    let viewer = world.records.roles.iter().find(|role| role.builtin == Some(Builtin::Viewer)).expect("a role").id;
    world.put(vec![Change::put(&Member { role: viewer, ..member.clone() }).expect("writes")]).await;
    let (status, code, message) = refusal(&world, &world.secret, "fast").await;
    assert_eq!((status, code.as_str()), (403, "permission_missing"));
    assert!(message.contains("models:invoke"), "{message}");
    world.put(vec![Change::removed(member.id)]).await;
    assert_eq!(refusal(&world, &world.secret, "fast").await.1, "not_a_member");
    world.put(vec![Change::put(&member).expect("writes")]).await;
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200);
}

#[tokio::test]
async fn a_suspended_organization_calls_nothing() {
    let world = World::new().await;
    let suspended = Organization { state: OrganizationState::Suspended, ..world.records.organization.clone() };
    world.put(vec![Change::put(&suspended).expect("writes")]).await;
    assert_eq!(refusal(&world, &world.secret, "fast").await.1, "organization_suspended");
    assert_eq!(world.get(&world.secret, "/v1/models").await.status(), 403);
}

// proves PK-059, PK-060
#[tokio::test]
async fn a_key_calls_what_its_levels_and_models_allow() {
    let world = World::new().await;
    let owner = KeyOwner::Organization;
    let no_calls = world.add_key(owner, |key| key.levels = [(Feature::Completions, Level::Read)].into()).await;
    assert_eq!(refusal(&world, &no_calls, "fast").await.1, "key_level");
    let only = world.records.model("fast").id;
    let narrow = world.add_key(owner, |key| key.models = ModelSet::Only([only].into())).await;
    assert_eq!(world.chat(&narrow, &question("fast", false)).await.status(), 200);
    let (status, code, message) = refusal(&world, &narrow, "team/large").await;
    assert_eq!((status, code.as_str()), (403, "key_model"));
    assert!(message.contains("'team/large'"), "{message}");
    let list: Value = world.get(&narrow, "/v1/models").await.json().await.expect("JSON");
    let names: Vec<_> = list["data"].as_array().expect("a list").iter().map(|one| one["id"].clone()).collect();
    assert_eq!(names, ["fast"]);
    assert_eq!(world.get(&narrow, "/v1/models/fast").await.status(), 200);
    assert_eq!(world.get(&narrow, "/v1/models/team%2Flarge").await.status(), 403);
}

#[tokio::test]
async fn a_model_that_is_not_approved_is_named_with_who_can_approve_it() {
    let world = World::new().await;
    let (status, code, message) = refusal(&world, &world.secret, "gpt-4o").await;
    assert_eq!((status, code.as_str()), (404, "model_not_found"));
    assert_eq!(
        message,
        "Key 'CI' may not call model 'gpt-4o': it is not approved in this organization. \
         An admin can approve it under Models."
    );
    let mut withdrawn = world.records.model("fast").clone();
    withdrawn.state = ModelState::Withdrawn;
    world.put(vec![Change::put(&withdrawn).expect("writes")]).await;
    assert_eq!(refusal(&world, &world.secret, "fast").await.1, "model_not_found");
    assert_eq!(world.get(&world.secret, "/v1/models/fast").await.status(), 404);
    assert_eq!(world.upstream.calls(), 0);
}

#[tokio::test]
async fn another_organizations_models_do_not_exist_here() {
    let world = World::new().await;
    let mut other = Records::new(&world.upstream.base_url());
    other.models = vec![crate::world::model(other.provider.id, "theirs", "demo-small")];
    world.tell(other.base(9)).await;
    world.gateway.reached(other.organization.id, 9).await;
    let (foreign, absent) =
        (refusal(&world, &world.secret, "theirs").await, refusal(&world, &world.secret, "absent").await);
    assert_eq!((foreign.0, foreign.1, foreign.2), (absent.0, absent.1, absent.2.replace("absent", "theirs")));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_and_says_why() {
    let world = World::with(|config| config.body_limit = 1000).await;
    let mut oversize = question("fast", false);
    oversize["messages"][0]["content"] = "x".repeat(1000).into();
    let (status, code, message) = refused(world.chat(&world.secret, &oversize).await).await;
    assert_eq!((status, code.as_str()), (413, "body_too_large"));
    assert!(message.contains("1000 bytes"), "{message}");
    for (body, code) in [("{", "invalid_body"), ("[]", "invalid_body"), ("", "invalid_body"), ("{}", "missing_model")] {
        let request = world.client.post(world.url("/v1/chat/completions")).bearer_auth(&world.secret);
        let (status, got, _) = refused(request.body(body).send().await.expect("answers")).await;
        assert_eq!((status, got.as_str()), (400, code), "{body}");
    }
    assert_eq!(world.upstream.calls(), 0);
    assert_eq!(world.all_usage().await.len(), 5);
}

#[tokio::test]
async fn whoever_sends_much_reads_why_it_was_refused() {
    let world = World::with(|config| config.body_limit = 1 << 20).await;
    let body = vec![b'x'; 4 << 20];
    for (secret, status) in [("gwk_wrong", "401"), (&world.secret, "413")] {
        let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connects");
        let head = format!("host: x\r\nconnection: close\r\nx-api-key: {secret}\r\ncontent-length: {}", body.len());
        let head = format!("POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("writes");
        // All of it is written before anything is read, as simple clients do.
        stream.write_all(&body).await.expect("writes");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("a whole answer");
        assert_eq!(answer.split(' ').nth(1), Some(status));
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_the_same_shape() {
    let world = World::new().await;
    for path in ["/", "/v1", "/v1/chat", "/v1/models/", "/v1/completions", "/healthz/x"] {
        assert_eq!(refused(world.get(&world.secret, path).await).await.1, "unknown_url", "{path}");
    }
    let wrong = world.get(&world.secret, "/v1/chat/completions").await;
    assert_eq!((wrong.status().as_u16(), wrong.headers()["allow"].to_str().expect("text")), (405, "POST"));
    let wrong = world.client.delete(world.url("/v1/models")).send().await.expect("answers");
    assert_eq!((wrong.status().as_u16(), wrong.headers()["allow"].to_str().expect("text")), (405, "GET"));
}

#[tokio::test]
async fn a_private_provider_is_called_only_where_the_operator_allows_it() {
    let mut world = World::with(|config| config.allow_private.0.clear()).await;
    let (status, code, message) = refusal(&world, &world.secret, "fast").await;
    assert_eq!((status, code.as_str()), (502, "private_address"));
    assert!(message.contains("GATEWARDEN__UPSTREAMS__ALLOW_PRIVATE"), "{message}");
    assert_eq!(world.upstream.connections(), 0);
    assert_eq!(world.used(1).await[0].refused.as_deref(), Some("private_address"));
}

#[tokio::test]
async fn a_provider_without_its_secret_or_out_of_reach_is_named() {
    let world = World::new().await;
    let mut bare = Records::new(&world.upstream.base_url());
    let (secret, key) = crate::world::key(KeyOwner::Organization);
    let mut records = bare.all();
    records.push(gatewarden_types::AnyRecord::Key(key));
    let organization = bare.organization.id;
    world
        .tell(FeedEvent::Base {
            organization,
            seq: 1,
            head: HEAD,
            continues: false,
            records: records.clone(),
            bodies: Vec::new(),
        })
        .await;
    world.gateway.reached(organization, 1).await;
    assert_eq!(refusal(&world, secret.text().expose(), "fast").await.1, "credential_missing");
    // Port 1 of the loopback: nobody listens there.
    bare.provider.base_url = "http://127.0.0.1:1/v1".parse().expect("a base URL");
    let bodies = vec![bare.body()];
    let unreachable = gatewarden_types::AnyRecord::Provider(bare.provider.clone());
    records.push(unreachable);
    world.tell(FeedEvent::Base { organization, seq: 2, head: HEAD, continues: false, records, bodies }).await;
    world.gateway.reached(organization, 2).await;
    assert_eq!(refusal(&world, secret.text().expose(), "fast").await.1, "provider_unreachable");
}
