use std::fs;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::program::{Folder, Running, ledger, rename, text};

const VERIFY: [&str; 4] = ["trail", "verify", "--organization", "acme"];
const ALL: [&str; 3] = ["trail", "verify", "--all"];

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
    let all = folder.run(&ALL);
    let (of_all, of_one) = (text(&all.stdout), text(&one.stdout));
    assert!(all.status.code() == Some(1) && of_all.starts_with(&of_one), "{of_all}");
    of_one
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
    folder.init("Acme");
    let output = folder.run(&["trail", "verify", "--organization", "nobody"]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("no organization nobody"));
}

/// Runs this in the control schema, underneath the program.
async fn in_control(folder: &Folder, sql: &str) {
    if let Some(postgres) = &folder.postgres {
        return postgres.run(&format!("SET search_path = control; {sql}")).await.expect("a superuser may");
    }
    let url = format!("sqlite://{}?mode=rw", folder.data().join("control.db").display());
    let control = Database::connect(url).await.expect("opens");
    control.execute_unprepared(sql).await.expect(sql);
    control.close().await.expect("closes");
}

/// Takes an organization's tables away, underneath the program.
async fn remove_tables(folder: &Folder, organization: &str) {
    match &folder.postgres {
        Some(postgres) => postgres.run(&format!("DROP SCHEMA {organization} CASCADE")).await.expect("a superuser may"),
        None => fs::remove_dir_all(folder.data().join("organizations").join(organization)).expect("removes"),
    }
}

/// How `trail verify --all` ended, and what it said.
fn all(folder: &Folder) -> (Option<i32>, String) {
    let output = folder.run(&ALL);
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

fn assert_all(folder: &Folder, ended: i32, parts: &[&str]) {
    let (code, told) = all(folder);
    assert_eq!(code, Some(ended), "{told}");
    for part in parts {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

async fn what_is_gone_is_told(folder: &Folder) {
    let acme = folder.init("Acme")["organization"].as_str().expect("an id").to_owned();
    let other = folder.init("Other")["organization"].as_str().expect("an id").to_owned();
    let whole = ["acme: 1 entries verified", "other: 1 entries verified", "the instance: ", "3 trails verified"];
    assert_all(folder, 0, &whole);
    // As one is while a program makes it: registered, and without an entry yet.
    let making = "INSERT INTO organizations (id, slug, state, created)
        SELECT subject, 'in-the-making', 'provisioning', 0 FROM directory LIMIT 1";
    in_control(folder, making).await;
    assert_all(folder, 0, &whole);
    in_control(folder, "DELETE FROM organizations WHERE slug = 'in-the-making'").await;
    in_control(folder, "UPDATE organizations SET state = 'provisioning' WHERE slug = 'acme'").await;
    assert_all(folder, 0, &whole);

    in_control(folder, "DELETE FROM organizations WHERE slug = 'acme'").await;
    let gone = format!("{acme}: it is not in the list of organizations any more, but its first 1 entries were signed");
    assert_all(folder, 1, &[&gone, "the directory names it", "other: 1 entries verified", "1 of 3 trails cannot"]);
    remove_tables(folder, &other).await;
    assert_all(folder, 1, &[&gone, "other: its trail is gone, because the ", &other, "2 of 3 trails cannot"]);
    in_control(folder, "DELETE FROM organizations").await;
    assert_all(folder, 1, &[&gone, &format!("{other}: it is not in the list"), "2 of 3 trails cannot"]);
}

#[tokio::test]
async fn organizations_that_are_gone_are_told_beside_those_that_are_there() {
    what_is_gone_is_told(&Folder::new()).await;
}

#[tokio::test]
async fn organizations_that_are_gone_are_told_on_postgres() {
    let Some(folder) = Folder::on_postgres().await else { return };
    what_is_gone_is_told(&folder).await;
}

#[tokio::test]
async fn a_trail_that_cannot_be_read_leaves_the_others_to_be_verified() {
    let folder = Folder::new();
    folder.init("Acme");
    let ledger = ledger(&folder.data());
    folder.init("Other");
    fs::remove_file(&ledger).expect("removes");
    let place = ledger.with_file_name("").display().to_string();
    let place = place.trim_end_matches('/');
    let told = ["acme: its trail cannot be read: ", place, "other: 1 entries verified", "1 of 3 trails cannot"];
    assert_all(&folder, 1, &told);
}

async fn an_edit_of_the_instances_trail_is_named(folder: &Folder) {
    folder.init("Acme");
    let unprotect = if folder.postgres.is_some() {
        "ALTER TABLE entries DISABLE TRIGGER USER"
    } else {
        "DROP TRIGGER entries_no_update; DROP TRIGGER entries_no_delete"
    };
    in_control(folder, unprotect).await;
    let edited = if folder.postgres.is_some() { "'\\x7b7d'::bytea" } else { "x'7b7d'" };
    in_control(folder, &format!("UPDATE entries SET bytes = {edited} WHERE seq = 1")).await;
    assert_all(folder, 1, &["the instance: entry 1 was changed", "acme: 1 entries verified", "1 of 2 trails cannot"]);
    in_control(folder, "DELETE FROM entries").await;
    assert_all(folder, 1, &["the instance: the trail ends at entry 0", "1 of 2 trails cannot"]);
}

#[tokio::test]
async fn an_edit_of_the_instances_own_trail_is_named() {
    an_edit_of_the_instances_trail_is_named(&Folder::new()).await;
}

#[tokio::test]
async fn an_edit_of_the_instances_own_trail_is_named_on_postgres() {
    let Some(folder) = Folder::on_postgres().await else { return };
    an_edit_of_the_instances_trail_is_named(&folder).await;
}

/// Each command that works on what is there.
const READING: [&[&str]; 4] = [
    &ALL,
    &["trail", "export", "--organization", "acme", "exported"],
    &["trail", "restored", "--all"],
    &["gateway", "enroll", "acme", "Frankfurt"],
];

fn assert_each_says(folder: &Folder, part: &str) {
    for words in READING {
        let output = folder.run(words);
        let told = text(&output.stderr);
        assert!(
            output.status.code() == Some(1) && told.contains(part) && output.stdout.is_empty(),
            "{words:?}: {told}"
        );
    }
}

#[test]
fn no_data_is_made_in_a_mistyped_folder() {
    let folder = Folder::new();
    assert_each_says(&folder, &format!("there is no Gatewarden data in {}", folder.data().display()));
    assert!(!folder.data().exists());
    folder.init("Acme");
    fs::remove_file(folder.data().join("control.db")).expect("removes");
    assert_each_says(&folder, "control.db is missing");
    assert!(!folder.data().join("control.db").exists());
    let fresh = Folder::new();
    assert!(fresh.run(&["migrate"]).status.success());
    assert_all(&fresh, 1, &["there is no organization, so no trail of one was verified"]);
    let restored = fresh.run(&["trail", "restored", "--all"]);
    assert!(restored.status.code() == Some(1) && text(&restored.stderr).contains("there is no organization"));
}

#[tokio::test]
async fn no_data_is_made_in_a_mistyped_database() {
    let Some(folder) = Folder::on_postgres().await else { return };
    let postgres = folder.postgres.as_ref().expect("it is on one");
    assert_each_says(&folder, "there is no Gatewarden data in the database");
    postgres.run("CREATE SCHEMA control").await.expect("nothing was made");
    postgres.run("DROP SCHEMA control").await.expect("a superuser may");
    folder.init("Acme");
    postgres.run("DROP SCHEMA control CASCADE").await.expect("a superuser may");
    assert_each_says(&folder, "the schema control is missing");
}
