use sea_orm::{ConnectionTrait, Database};

use crate::program::{Folder, ledger, text};

/// Changes the file underneath the program, past the triggers that would refuse it.
async fn tamper(folder: &Folder) {
    let url = format!("sqlite://{}?mode=rw", ledger(&folder.data()).display());
    let file = Database::connect(url).await.expect("opens");
    let triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entries'";
    let triggers = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, triggers);
    for row in file.query_all_raw(triggers).await.expect("answers") {
        let name: String = row.try_get_by_index(0).expect("a name");
        file.execute_unprepared(&format!("DROP TRIGGER {name}")).await.expect("drops it");
    }
    let edit = "UPDATE entries SET bytes = replace(bytes, 'owner', 'ownar') WHERE seq = 1";
    file.execute_unprepared(edit).await.expect("changes it");
    file.close().await.expect("closes");
}

#[tokio::test]
async fn an_edit_underneath_is_named_and_fails() {
    let folder = Folder::new();
    folder.init("Acme");
    let verify = ["trail", "verify", "--organization", "acme"];
    let good = folder.run(&verify);
    assert!(good.status.success(), "{}", text(&good.stdout));
    assert!(text(&good.stderr).contains("1 of 1 entries"), "{}", text(&good.stderr));
    tamper(&folder).await;
    for words in [&verify[..], &["trail", "verify", "--all"]] {
        let bad = folder.run(words);
        assert_eq!(bad.status.code(), Some(1));
        assert!(text(&bad.stdout).contains("acme: entry 1 was changed"), "{}", text(&bad.stdout));
    }
}

#[test]
fn an_unknown_organization_is_told() {
    let folder = Folder::new();
    let output = folder.run(&["trail", "verify", "--organization", "nobody"]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("no organization nobody"));
}
