use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::program::{Folder, Running, client, rename, text};

/// The program on a machine that has what was exported and nothing else.
fn elsewhere(words: &[&str], paths: &[&Path]) -> Output {
    let machine = tempfile::tempdir().expect("a folder");
    let mut program = Command::new(env!("CARGO_BIN_EXE_gatewarden"));
    let output = program.env_clear().current_dir(machine.path()).args(words).args(paths).output().expect("runs");
    assert_eq!(fs::read_dir(machine.path()).expect("a folder").count(), 0, "it makes nothing");
    output
}

const VERIFY: [&str; 2] = ["trail", "verify"];

fn export(folder: &Folder, to: &str) -> (Output, PathBuf) {
    let to = folder.data().with_file_name(to);
    let path = to.display().to_string();
    (folder.run(&["trail", "export", "--organization", "acme", &path]), to)
}

#[tokio::test]
async fn an_export_beside_the_running_program_is_verified_elsewhere() {
    let folder = Folder::new();
    let made = folder.init("Acme");
    let running = Running::start(&folder, &["serve"]);
    rename(&running, &made, "Acme 2").await;
    let (exported, to) = export(&folder, "exported");
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    assert!(text(&exported.stdout).contains("acme: 3 entries exported"), "{}", text(&exported.stdout));
    rename(&running, &made, "Acme 3").await;
    let key = to.join("key");
    let good = elsewhere(&VERIFY, &[&to]);
    assert!(
        good.status.success() && text(&good.stdout).ends_with("exported: 3 entries verified\n"),
        "{}",
        text(&good.stdout)
    );
    assert!(text(&good.stderr).contains("--key"), "whose key it was is said");
    assert!(elsewhere(&VERIFY, &[&to, Path::new("--key"), &key]).status.success());
    let live = folder.run(&["trail", "verify", "--organization", "acme"]);
    assert!(text(&live.stdout).contains("acme: 4 entries verified"), "the export's entry is one of them");

    let proof = format!("{}/api/v1/trail/2/proof", running.console);
    let sent =
        client().get(proof).bearer_auth(made["master_key"].as_str().expect("a key")).send().await.expect("answers");
    let file = to.with_file_name("acme-2.tlog-proof");
    fs::write(&file, sent.text().await.expect("text")).expect("writes");
    let proven = elsewhere(&VERIFY, &[&file, Path::new("--key"), &key]);
    assert!(text(&proven.stdout).ends_with("entry 2 verified: organization.update\n"), "{}", text(&proven.stderr));
    let without = elsewhere(&VERIFY, &[&file]);
    assert!(without.status.code() == Some(1) && text(&without.stderr).contains("give the trail's with --key"));
}

#[test]
fn what_is_wrong_with_an_export_is_named() {
    let folder = Folder::new();
    folder.init("Acme");
    let (_, to) = export(&folder, "exported");
    let bundle = to.join("tile/entries/000.p/2");
    let mut bytes = fs::read(&bundle).expect("a bundle");
    let last = bytes.len() - 5;
    bytes[last] ^= 1;
    fs::write(&bundle, bytes).expect("writes");
    let wrong = elsewhere(&VERIFY, &[&to]);
    assert!(
        wrong.status.code() == Some(1) && text(&wrong.stdout).contains("entry 2 was changed"),
        "{}",
        text(&wrong.stdout)
    );
    fs::remove_file(&bundle).expect("removes");
    assert!(text(&elsewhere(&VERIFY, &[&to]).stdout).contains("entry 1 is missing"));
    fs::remove_file(to.join("checkpoint")).expect("removes");
    assert!(text(&elsewhere(&VERIFY, &[&to]).stdout).contains("the checkpoint is not genuine"));

    let other = Folder::new();
    other.init("Acme");
    let (_, others) = export(&other, "other");
    let key = to.join("key");
    let foreign = elsewhere(&VERIFY, &[&others, Path::new("--key"), &key]);
    assert!(foreign.status.code() == Some(1) && text(&foreign.stdout).contains("not the one that you know"));
}

#[test]
fn an_export_is_not_mixed_with_what_is_there() {
    let folder = Folder::new();
    folder.init("Acme");
    let (first, to) = export(&folder, "exported");
    assert!(first.status.success());
    let (second, _) = export(&folder, "exported");
    assert!(
        second.status.code() == Some(1) && text(&second.stderr).contains("is not empty"),
        "{}",
        text(&second.stderr)
    );
    assert!(elsewhere(&VERIFY, &[&to]).status.success());
    let unknown = folder.run(&["trail", "export", "--organization", "nobody", "x"]);
    assert!(unknown.status.code() == Some(1) && text(&unknown.stderr).contains("no organization nobody"));
}

#[test]
fn an_export_for_other_programs_goes_to_a_file_or_to_standard_output() {
    let folder = Folder::new();
    folder.init("Acme");
    let words = ["trail", "export", "--organization", "acme", "--format"];
    let printed = folder.run(&[&words[..], &["jsonl"]].concat());
    assert!(printed.status.success() && text(&printed.stdout).lines().count() == 2, "{}", text(&printed.stderr));
    let file = folder.data().with_file_name("trail.csv").display().to_string();
    assert!(folder.run(&[&words[..], &["csv", &file]].concat()).status.success());
    assert_eq!(fs::read_to_string(&file).expect("a file").lines().count(), 4);
    let again = folder.run(&[&words[..], &["csv", &file]].concat());
    assert!(again.status.code() == Some(1) && text(&again.stderr).contains("give the name of a new file"));
    let nowhere = folder.run(&words[..4]);
    assert!(nowhere.status.code() == Some(1) && text(&nowhere.stderr).contains("a folder is missing"));
}

#[tokio::test]
async fn an_export_from_postgres_is_verified_elsewhere() {
    let Some(folder) = Folder::on_postgres().await else { return };
    folder.init("Acme");
    let (exported, to) = export(&folder, "exported");
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    assert!(elsewhere(&VERIFY, &[&to]).status.success());
}
