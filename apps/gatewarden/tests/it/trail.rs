use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::program::{Folder, Running, ledger, rename, text};

const VERIFY: [&str; 4] = ["trail", "verify", "--organization", "acme"];

/// Changes the file underneath the program, past the triggers that would refuse it.
async fn tamper(folder: &Folder, sql: &str) {
    let file = open(folder).await;
    let triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'";
    for row in file.query_all_raw(Statement::from_string(DbBackend::Sqlite, triggers)).await.expect("answers") {
        let name: String = row.try_get_by_index(0).expect("a name");
        file.execute_unprepared(&format!("DROP TRIGGER {name}")).await.expect("drops it");
    }
    assert!(file.execute_unprepared(sql).await.expect(sql).rows_affected() > 0);
    file.close().await.expect("closes");
}

async fn open(folder: &Folder) -> DatabaseConnection {
    let url = format!("sqlite://{}?mode=rw", ledger(&folder.data()).display());
    Database::connect(url).await.expect("opens")
}

/// An organization with five entries, all of them under a checkpoint.
async fn grown() -> Folder {
    let folder = Folder::new();
    let made = folder.init("Acme");
    let mut running = Running::start(&folder, &["serve"]);
    for number in 2..=5 {
        rename(&running, &made, &format!("Acme {number}")).await;
    }
    running.ask_to_end();
    assert!(running.end().success());
    let good = folder.run(&VERIFY);
    assert!(good.status.success() && text(&good.stdout).contains("acme: 5 entries verified"), "{}", text(&good.stdout));
    folder
}

/// What is named of a trail after `sql` was run underneath.
async fn named(sql: &str) -> String {
    let folder = grown().await;
    tamper(&folder, sql).await;
    let one = folder.run(&VERIFY);
    assert_eq!(one.status.code(), Some(1));
    let all = folder.run(&["trail", "verify", "--all"]);
    assert_eq!((all.status.code(), &all.stdout), (Some(1), &one.stdout));
    text(&one.stdout)
}

#[tokio::test]
async fn an_edit_underneath_is_named() {
    let told = named("UPDATE entries SET bytes = replace(bytes, 'Acme 3', 'Acme 9') WHERE seq = 3").await;
    assert!(told.contains("acme: entry 3 was changed"), "{told}");
}

#[tokio::test]
async fn a_swap_underneath_is_named() {
    let swap = "UPDATE entries SET seq = -seq WHERE seq IN (2, 4); UPDATE leaves SET seq = -seq WHERE seq IN (2, 4);
        UPDATE entries SET seq = 6 + seq WHERE seq < 0; UPDATE leaves SET seq = 6 + seq WHERE seq < 0";
    let told = named(swap).await;
    assert!(told.contains("acme: entry 2 cannot be right"), "{told}");
}

#[tokio::test]
async fn a_deletion_underneath_is_named() {
    let told = named("DELETE FROM leaves WHERE seq = 3; DELETE FROM entries WHERE seq = 3").await;
    assert!(told.contains("acme: entry 3 is missing: the next one found is 4"), "{told}");
}

#[tokio::test]
async fn a_tail_cut_off_underneath_is_named() {
    let cut = "DELETE FROM checkpoints; DELETE FROM leaves WHERE seq > 2; DELETE FROM entries WHERE seq > 2";
    let told = named(cut).await;
    assert!(told.contains("acme: the trail ends at entry 2, but a checkpoint was kept for 5"), "{told}");
}

#[test]
fn an_unknown_organization_is_told() {
    let folder = Folder::new();
    let output = folder.run(&["trail", "verify", "--organization", "nobody"]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("no organization nobody"));
}
