use serde_json::Value;

use crate::program::{Folder, Running, client, get, ledger};

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
