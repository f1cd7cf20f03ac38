use crate::program::{Folder, Running, client, printed_json, text, with_input};

#[tokio::test]
async fn a_script_gets_a_key_that_works() {
    let folder = Folder::new();
    let made = folder.init("Acme Research");
    assert_eq!(made["slug"], "acme-research");
    for (field, prefix) in [("organization", "org_"), ("account", "acc_"), ("member", "mem_"), ("key", "key_")] {
        assert!(made[field].as_str().is_some_and(|id| id.starts_with(prefix)), "{made}");
    }
    let running = Running::start(&folder, &["serve"]);
    let key = made["master_key"].as_str().expect("a key");
    let url = format!("{}/v1/models", running.gateway);
    let answer = client().get(&url).bearer_auth(key).send().await.expect("answers");
    assert_eq!(answer.status(), 200);
    let stranger = client().get(&url).bearer_auth(key.replace("gwk_", "gwk_0")).send().await.expect("answers");
    assert_eq!(stranger.status(), 401);
}

#[test]
fn the_password_comes_from_standard_input_as_well() {
    let folder = Folder::new();
    let words = ["init", "--organization", "Acme", "--slug", "a1", "--owner", "ada@acme.example", "--name", "Ada"];
    let made = printed_json(&with_input(&mut folder.program(&words), "correct horse battery\n"));
    assert_eq!(made["slug"], "a1");
    let none = with_input(&mut folder.program(&words), "");
    assert!(!none.status.success() && text(&none.stderr).contains("GATEWARDEN_OWNER_PASSWORD"));
    let short = with_input(&mut folder.program(&words), "short\n");
    assert!(!short.status.success() && text(&short.stderr).contains("at least 12 characters"));
}

#[test]
fn a_taken_word_is_refused_and_a_known_owner_keeps_the_password() {
    let folder = Folder::new();
    folder.init("Acme");
    let again = ["init", "--organization", "ACME", "--owner", "bo@acme.example"];
    let taken = with_input(&mut folder.program(&again), "correct horse battery\n");
    assert!(!taken.status.success() && text(&taken.stderr).contains("slug"), "{}", text(&taken.stderr));
    let other = ["init", "--organization", "Other", "--owner", "ada@acme.example"];
    let made = with_input(&mut folder.program(&other), "another password entirely\n");
    assert!(made.status.success() && text(&made.stderr).contains("keeps its password"));
}
