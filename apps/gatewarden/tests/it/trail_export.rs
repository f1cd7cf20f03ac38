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
    assert!(without.status.code() == Some(1) && text(&without.stdout).contains("give the trail's with --key"));
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
    for (file, named) in [
        ("tile/entries/000.p/2", "entry 1 is missing: there is no file tile/entries/000.p/2"),
        ("tile/0/000.p/2", "entry 1 cannot be checked: its hash is missing, as there is no file tile/0/000.p/2"),
        ("checkpoint", "it has no file `checkpoint`, which an export writes last: it was cut off"),
    ] {
        let (_, to) = export(&folder, &file.replace('/', "-"));
        // Each export is an entry of the next.
        let moved = fs::read_dir(to.join("tile/0/000.p")).expect("a folder").next().expect("a tile").expect("readable");
        let width = moved.file_name().to_string_lossy().into_owned();
        let at = |path: &str| path.replace("p/2", &format!("p/{width}"));
        fs::remove_file(to.join(at(file))).expect("removes");
        let told = elsewhere(&VERIFY, &[&to]);
        assert!(told.status.code() == Some(1) && text(&told.stdout).contains(&at(named)), "{}", text(&told.stdout));
    }

    let other = Folder::new();
    other.init("Acme");
    let (_, others) = export(&other, "other");
    let key = to.join("key");
    let foreign = elsewhere(&VERIFY, &[&others, Path::new("--key"), &key]);
    assert!(foreign.status.code() == Some(1) && text(&foreign.stdout).contains("not the one that you know"));
}

#[test]
fn an_export_that_cannot_be_read_leaves_the_others_to_be_verified() {
    let folder = Folder::new();
    folder.init("Acme");
    let (_, broken) = export(&folder, "broken");
    let (_, whole) = export(&folder, "whole");
    let tile = broken.join("tile/0/000.p/2");
    fs::remove_file(&tile).expect("removes");
    fs::create_dir(&tile).expect("makes it");
    let nowhere = broken.with_file_name("nowhere");
    let told = elsewhere(&VERIFY, &[&broken, &nowhere, &whole]);
    let lines = text(&told.stdout);
    assert_eq!((told.status.code(), lines.lines().count()), (Some(1), 3), "{lines}{}", text(&told.stderr));
    for line in [
        "broken: the file tile/0/000.p/2 cannot be read: ",
        "nowhere: it cannot be read: ",
        "whole: 3 entries verified",
    ] {
        assert!(lines.contains(line), "{line} is not in {lines}");
    }
    assert!(text(&told.stderr).contains("2 of 3 cannot be trusted"), "{}", text(&told.stderr));
}

#[test]
fn an_export_for_other_programs_is_told_to_prove_nothing() {
    let folder = Folder::new();
    folder.init("Acme");
    for format in ["jsonl", "csv", "ocsf"] {
        let file = folder.data().with_file_name(format);
        let to = file.display().to_string();
        assert!(folder.run(&["trail", "export", "--organization", "acme", "--format", format, &to]).status.success());
        let told = elsewhere(&VERIFY, &[&file]);
        let said = text(&told.stdout);
        assert!(told.status.code() == Some(1) && said.contains("proves nothing; what can be verified is"), "{said}");
    }
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
