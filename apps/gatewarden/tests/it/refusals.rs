use std::{net::TcpListener, os::unix::fs::PermissionsExt};

use crate::program::{Folder, text};

#[test]
fn every_mistake_is_told_before_anything_is_made() {
    let folder = Folder::new();
    let mut serve = folder.program(&["serve", "--listen", "0.0.0.0:8080", "--gateway-listen", "nowhere"]);
    let output = serve.env("GATEWARDEN__LISSEN", "x").env("GATEWARDEN_SECRET_KEY", "hunter2").output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    for part in [
        "4 settings cannot be taken",
        "in the open",
        "flag --gateway-listen",
        "environment variable GATEWARDEN__LISSEN",
        "environment variable GATEWARDEN_SECRET_KEY",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert!(!told.contains("hunter2") && !folder.data().exists());
}

#[test]
fn an_address_in_use_is_told_and_no_data_is_touched() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let console = folder.run(&["serve", "--listen", &address]);
    assert_eq!(console.status.code(), Some(1));
    let told = text(&console.stderr);
    assert!(told.contains(&address) && told.contains("--listen") && !folder.data().exists(), "{told}");
    let gateway = folder.run(&["serve", "--listen", "127.0.0.1:0", "--gateway-listen", &address]);
    let told = text(&gateway.stderr);
    assert!(gateway.status.code() == Some(1) && told.contains("--gateway-listen"), "{told}");
}

#[test]
fn a_lost_secret_key_is_not_replaced() {
    let folder = Folder::new();
    folder.init("Acme");
    std::fs::remove_file(folder.data().join("secret.key")).expect("is there");
    let output = folder.run(&["migrate"]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("Put it back"));
    let doctor = folder.run(&["doctor"]);
    assert!(doctor.status.code() == Some(1) && text(&doctor.stdout).contains("bad       secret key"));
}

#[test]
fn the_doctor_says_when_others_can_look_into_the_folder() {
    let folder = Folder::new();
    let run = || text(&folder.run(&["doctor", "--listen", "127.0.0.1:0"]).stdout);
    std::fs::create_dir(folder.data()).expect("makes it");
    for (mode, doubted) in [(0o755, true), (0o700, false)] {
        std::fs::set_permissions(folder.data(), std::fs::Permissions::from_mode(mode)).expect("its owner may");
        let told = run();
        assert_eq!(told.contains("doubtful  data folder") && told.contains("chmod 700"), doubted, "{told}");
    }
}

#[test]
fn the_demo_whose_password_is_known_answers_this_machine_alone() {
    let folder = Folder::new();
    let mut demo = folder.program(&["demo", "--listen", "0.0.0.0:0"]);
    demo.env("GATEWARDEN__PUBLIC_URL", "https://example.com").env("GATEWARDEN__TRUSTED_PROXIES", "10.0.0.1");
    let output = demo.output().expect("runs");
    let told = text(&output.stderr);
    assert!(output.status.code() == Some(1) && told.contains("password is known to everyone"), "{told}");
    assert!(!folder.data().join("demo").exists());
}

#[test]
fn the_demo_enters_a_database_only_where_its_command_line_names_one() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let gateway = taken.local_addr().expect("bound").to_string();
    let words = ["demo", "--listen", "127.0.0.1:0", "--gateway-listen", &gateway];
    // Nobody listens on port 1, so who asks that database fails before the gateway's address is tried.
    let nowhere = "postgres://127.0.0.1:1/x";
    let program = || {
        let mut demo = folder.program(&words);
        demo.env("GATEWARDEN_SECRET_KEY", "5e".repeat(32));
        demo
    };
    let configured = program().env("GATEWARDEN__DATABASE__URL", nowhere).output().expect("runs");
    let told = text(&configured.stderr);
    assert!(configured.status.code() == Some(1) && told.contains("--gateway-listen"), "{told}");
    let named = program().args(["--database-url", nowhere]).output().expect("runs");
    let told = text(&named.stderr);
    assert!(named.status.code() == Some(1) && !told.contains("--gateway-listen"), "{told}");
}
