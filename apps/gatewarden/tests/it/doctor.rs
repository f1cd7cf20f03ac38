use std::{net::TcpListener, os::unix::fs::PermissionsExt};

use crate::program::{Folder, text};

const DOCTOR: [&str; 5] = ["doctor", "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"];

/// What it says when all is well enough.
fn well(folder: &Folder) -> String {
    let output = folder.run(&DOCTOR);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{}", text(&output.stderr));
    assert!(!told.lines().any(|line| line.starts_with("bad")), "{told}");
    told
}

#[test]
fn a_fresh_folder_is_well_and_nothing_is_made() {
    let folder = Folder::new();
    let told = well(&folder);
    assert!(told.lines().all(|line| line.starts_with("good")), "{told}");
    assert!(told.contains("SQLite") && told.contains("made at the first start"), "{told}");
    assert!(!folder.data().exists());
}

#[test]
fn a_secret_key_that_others_can_read_is_doubtful() {
    let folder = Folder::new();
    folder.init("Acme");
    assert!(!well(&folder).contains("doubtful"));
    let key = folder.data().join("secret.key");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).expect("is there");
    let told = well(&folder);
    assert!(told.contains("doubtful  secret key") && told.contains(&format!("chmod 600 {}", key.display())), "{told}");
}

#[test]
fn mail_that_cannot_be_sent_is_bad() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let there = taken.local_addr().expect("bound");
    let mail = |url: String| {
        let mut doctor = folder.program(&DOCTOR);
        doctor.env("GATEWARDEN__MAIL__SMTP_URL", url).env("GATEWARDEN__MAIL__FROM", "gatewarden@acme.example");
        let output = doctor.output().expect("runs");
        (output.status.code(), text(&output.stdout))
    };
    let (ended, told) = mail(format!("smtp://{there}"));
    assert!(ended == Some(0) && told.contains("good      mail"), "{told}");
    let (ended, told) = mail(format!("smtp://%FF:secret@{there}"));
    assert!(ended == Some(1) && told.contains("bad       mail") && told.contains("mail.smtp_url"), "{told}");
    drop(taken);
    let (ended, told) = mail(format!("smtp://{there}"));
    assert!(ended == Some(1) && told.contains(&format!("bad       mail: {there}")), "{told}");
}
