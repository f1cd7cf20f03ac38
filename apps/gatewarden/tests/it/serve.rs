use sea_orm::{ConnectionTrait, Database};
use serde_json::Value;

use crate::program::{Folder, Running, client, get, ledger, text};

#[tokio::test]
async fn a_fresh_start_prints_one_url_that_opens_the_set_up_page() {
    let folder = Folder::new();
    let mut running = Running::start(&folder, &["serve"]);
    let line = running.line();
    let url = line.split(' ').find(|word| word.starts_with("http")).expect("a URL").to_owned();
    assert!(url.starts_with(&format!("{}/set-up?code=", running.console)), "{line}");
    assert_eq!(get(url).await.status(), 200);
    for address in [&running.console, &running.gateway] {
        for page in ["healthz", "readyz"] {
            assert_eq!(get(format!("{address}/{page}")).await.status(), 200, "{address}/{page}");
        }
    }
    running.ask_to_end();
    assert_eq!(running.rest(), Vec::<String>::new(), "one line is all");
    assert!(running.end().success());
}

#[tokio::test]
async fn once_set_up_it_prints_the_console() {
    let folder = Folder::new();
    folder.init("Acme");
    let mut running = Running::start(&folder, &[]);
    let line = running.line();
    assert!(line.ends_with(&format!("{}/", running.console)), "{line}");
    assert_eq!(client().get(&running.console).send().await.expect("answers").status(), 200);
}

#[tokio::test]
async fn it_serves_also_when_an_organization_cannot_be_read() {
    let folder = Folder::new();
    folder.init("Acme");
    std::fs::write(ledger(&folder.data()), "no database".repeat(1000)).expect("written");
    let running = Running::start(&folder, &["serve"]);
    let ready = get(format!("{}/readyz", running.gateway)).await;
    assert_eq!(ready.status(), 200);
    let body: Value = ready.json().await.expect("JSON");
    assert_eq!((&body["status"], &body["organizations_behind"]), (&"degraded".into(), &1.into()), "{body}");
}

/// Registers an organization as a creation does before anything else.
const IN_THE_MAKING: &str = "INSERT INTO organizations (id, slug, state, created)
    VALUES (x'01a00000000070008000000000000001', 'in-the-making', 'provisioning', 0)";

#[tokio::test]
async fn beside_a_running_program_nobody_serves_and_looking_undoes_nothing() {
    let folder = Folder::new();
    folder.init("Acme");
    let running = Running::start(&folder, &["serve"]);
    let url = format!("sqlite://{}?mode=rw", folder.data().join("control.db").display());
    let control = Database::connect(url).await.expect("opens");
    control.execute_unprepared(IN_THE_MAKING).await.expect("registers it");
    let second = folder.run(&["serve", "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"]);
    let told = text(&second.stderr);
    assert!(second.status.code() == Some(1) && told.contains("in use by gatewarden serve (process "), "{told}");
    let words = ["init", "--organization", "Other", "--owner", "bo@acme.example"];
    let init = folder.program(&words).env("GATEWARDEN_OWNER_PASSWORD", "correct horse battery").output();
    let told = text(&init.expect("runs").stderr);
    assert!(told.contains("in use by gatewarden serve") && told.contains("in the console"), "{told}");
    for words in [&["trail", "verify", "--all"][..], &["migrate"], &["doctor"]] {
        let looked = folder.run(words);
        assert!(looked.status.success(), "{words:?}: {}", text(&looked.stderr));
    }
    let count = sea_orm::Statement::from_string(
        sea_orm::DbBackend::Sqlite,
        "SELECT count(*) FROM organizations WHERE state = 'provisioning'",
    );
    let left = control.query_one_raw(count).await.expect("answers").expect("a row");
    assert_eq!(left.try_get_by_index::<i64>(0).expect("a number"), 1, "what is in the making stays");
    drop(running);
}

#[tokio::test]
async fn a_start_finds_anew_whom_the_directory_lost() {
    let folder = Folder::new();
    folder.init("Acme");
    let url = format!("sqlite://{}?mode=rw", folder.data().join("control.db").display());
    let control = Database::connect(url).await.expect("opens");
    let entries = async || {
        let count = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "SELECT count(*) FROM directory");
        let row = control.query_one_raw(count).await.expect("answers").expect("a row");
        row.try_get_by_index::<i64>(0).expect("a number")
    };
    let whole = entries().await;
    control.execute_unprepared("DELETE FROM directory").await.expect("loses them");
    let running = Running::start(&folder, &["serve"]);
    assert_eq!(entries().await, whole);
    drop(running);
}
