use std::sync::Arc;

use crate::program::{Folder, Running, client, rename, text};

const DOCTOR: [&str; 5] = ["doctor", "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"];

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_and_its_trails_verify_while_they_grow() {
    let Some(folder) = Folder::on_postgres().await else { return };
    let folder = Arc::new(folder);
    let made = folder.init("Acme");
    let running = Running::start(&folder, &["serve"]);
    let key = made["master_key"].as_str().expect("a key");
    let models = format!("{}/v1/models", running.gateway);
    assert_eq!(client().get(models).bearer_auth(key).send().await.expect("answers").status(), 200);
    let mut changes = 0;
    while changes < 20 {
        let of = folder.clone();
        let verifying = tokio::task::spawn_blocking(move || of.run(&["trail", "verify", "--all"]));
        // At least one while the program starts, and as many as it takes time for.
        loop {
            changes += 1;
            rename(&running, &made, &format!("Acme {changes}")).await;
            if verifying.is_finished() {
                break;
            }
        }
        let verified = verifying.await.expect("runs");
        assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
        assert!(text(&verified.stdout).contains("entries verified"));
    }
    let doctor = folder.run(&DOCTOR);
    let told = text(&doctor.stdout);
    assert!(doctor.status.success() && told.lines().all(|line| line.starts_with("good")), "{told}");
}

#[tokio::test]
async fn the_doctor_names_each_right_that_was_not_revoked() {
    let Some(folder) = Folder::on_postgres().await else { return };
    let postgres = folder.postgres.as_ref().expect("it is on one");
    let call = "EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean)";
    let write = "UPDATE ON pg_catalog.pg_settings";
    for right in [call, write] {
        postgres.run(&format!("GRANT {right} TO PUBLIC")).await.expect("a superuser may");
        let doctor = folder.run(&DOCTOR);
        let told = text(&doctor.stdout);
        assert!(doctor.status.success(), "{told}");
        let named: Vec<_> = [call, write].into_iter().filter(|one| told.contains(&format!("REVOKE {one}"))).collect();
        assert_eq!(named, [right], "{told}");
        postgres.run(&format!("REVOKE {right} FROM PUBLIC")).await.expect("a superuser may");
    }
}
