//! Our verifier and those that share no code with it say the same of a thousand tampered trails, and find every one.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use gatewarden_trail::{Checkpoint, Log, Signer, VerifyingKey};

use crate::{
    program::{Folder, Running, client, rename, text},
    tamperings::{Dice, Exported, WAYS, flip},
    trail_restored::exports_around_a_restore,
};

/// More than a bundle holds, so that there are two and a tile above them.
const ENTRIES: usize = 260;
const TAMPERINGS: usize = 1000;
const SEED: u64 = 20_261_121;

/// What a verifier says of one thing.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Not to be trusted, from this entry on; none where it is wrong as a whole.
    Bad(Option<u64>),
}

impl Verdict {
    fn of(told: &str) -> Self {
        let named = told.split_once("entry ").and_then(|(_, rest)| rest.split([' ', ':']).next()?.parse().ok());
        if told.contains(" verified") { Self::Good } else { Self::Bad(named) }
    }
}

/// A verifier, and how it is started.
struct Verifier {
    name: &'static str,
    command: Vec<PathBuf>,
    key: &'static str,
}

/// Ours, and the others that this machine has: `cargo xtask test --only verifiers` sees to it that it has them.
fn verifiers() -> Vec<Verifier> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../verifiers/python/verify.py");
    let ours = vec![env!("CARGO_BIN_EXE_gatewarden").into(), "trail".into(), "verify".into()];
    let mut all = vec![Verifier { name: "ours", command: ours, key: "--key" }];
    let others = [
        ("GATEWARDEN_VERIFIER_PYTHON", "Python's", "--key", Some(script)),
        ("GATEWARDEN_VERIFIER_GO", "Go's", "-key", None),
    ];
    for (variable, name, key, script) in others {
        let Some(program) = std::env::var_os(variable) else {
            // Not by `println!`, which a test that passes keeps to itself.
            let line = format!(
                "left out: {name} verifier, as {variable} names none; `cargo xtask test --only verifiers` brings it\n"
            );
            io::stderr().write_all(line.as_bytes()).expect("standard error is open");
            continue;
        };
        all.push(Verifier { name, command: [program.into()].into_iter().chain(script).collect(), key });
    }
    all
}

impl Verifier {
    /// What it says of each of these, all in one run.
    fn say(&self, key: &Path, of: &[PathBuf]) -> Vec<Verdict> {
        let (program, words) = self.command.split_first().expect("a program");
        let output = Command::new(program).args(words).arg(self.key).arg(key).args(of).output().expect("runs");
        let told = text(&output.stdout);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), of.len(), "{}: {}", self.name, text(&output.stderr));
        let of_each = lines.iter().zip(of).map(|(line, path)| {
            let said = line.strip_prefix(&format!("{}: ", path.display()));
            Verdict::of(said.unwrap_or_else(|| panic!("{} says {line:?} of {}", self.name, path.display())))
        });
        of_each.collect()
    }
}

/// A trail of some hundred entries, exported, and the proofs of some of them.
async fn exported(folder: &Folder) -> (PathBuf, Vec<PathBuf>) {
    let made = folder.init("Acme");
    let mut running = Running::start(folder, &["serve"]);
    for number in 2..ENTRIES {
        rename(&running, &made, &format!("Acme {number}")).await;
    }
    let to = folder.data().with_file_name("exported");
    let path = to.display().to_string();
    let output = folder.run(&["trail", "export", "--organization", "acme", &path]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut proofs = Vec::new();
    for seq in [1, 2, 3, 128, 255, 256, 257, ENTRIES] {
        let url = format!("{}/api/v1/trail/{seq}/proof", running.console);
        let sent = client().get(url).bearer_auth(made["master_key"].as_str().expect("a key")).send().await;
        let file = to.with_file_name(format!("{seq}.tlog-proof"));
        fs::write(&file, sent.expect("answers").bytes().await.expect("arrives")).expect("writes");
        proofs.push(file);
    }
    running.ask_to_end();
    assert!(running.end().success());
    (to, proofs)
}

/// All verifiers say the same of each, which is what is said.
fn agreed(verifiers: &[Verifier], key: &Path, of: &[PathBuf]) -> Vec<Verdict> {
    let said: Vec<Vec<Verdict>> = thread::scope(|scope| {
        let each: Vec<_> = verifiers.iter().map(|verifier| scope.spawn(|| verifier.say(key, of))).collect();
        each.into_iter().map(|one| one.join().expect("it runs")).collect()
    });
    let mut said = verifiers.iter().map(|verifier| verifier.name).zip(said);
    let (_, ours) = said.next().expect("there is ours");
    for (name, theirs) in said {
        for ((path, one), other) in of.iter().zip(&ours).zip(&theirs) {
            assert_eq!(one, other, "ours and {name} (seed {SEED}) of {}", path.display());
        }
    }
    ours
}

#[tokio::test]
async fn every_tampering_is_found_and_all_verifiers_agree() {
    let (verifiers, folder) = (verifiers(), Folder::new());
    let (original, proofs) = exported(&folder).await;
    let key = original.with_file_name("known-key");
    fs::copy(original.join("key"), &key).expect("copies");
    let untouched: Vec<PathBuf> = [original.clone()].into_iter().chain(proofs.iter().cloned()).collect();
    assert!(agreed(&verifiers, &key, &untouched).iter().all(|verdict| *verdict == Verdict::Good));

    let (mut dice, whole) = (Dice(SEED), Exported::read(&original));
    let mut tampered = Vec::new();
    while tampered.len() < TAMPERINGS {
        let (way, mut other) = (WAYS[tampered.len() % WAYS.len()], whole.clone());
        if other.tamper(way, &mut dice) {
            let to = original.with_file_name(format!("{:04} {way}", tampered.len()));
            other.write(&to, &whole, &original);
            tampered.push(to);
        }
    }
    for proof in proofs.iter().cycle().take(200) {
        let mut bytes = fs::read(proof).expect("a proof");
        flip(&mut bytes, &mut dice);
        let to = original.with_file_name(format!("{:04} flip a bit of a proof", tampered.len()));
        fs::write(&to, bytes).expect("writes");
        tampered.push(to);
    }
    for (path, verdict) in tampered.iter().zip(agreed(&verifiers, &key, &tampered)) {
        assert!(matches!(verdict, Verdict::Bad(_)), "{} was not found (seed {SEED})", path.display());
    }
}

#[test]
fn all_verifiers_agree_on_the_epochs_of_a_restored_trail() {
    let (verifiers, folder) = (verifiers(), Folder::new());
    let (first, second) = exports_around_a_restore(&folder);
    for known in [&first, &second] {
        let said = agreed(&verifiers, &known.join("key"), &[first.clone(), second.clone()]);
        assert_eq!(said, [Verdict::Good, Verdict::Good]);
    }
    // The same entries, signed by somebody as of each epoch: they end in the second.
    let note = fs::read_to_string(second.join("checkpoint")).expect("a checkpoint");
    let log = note.lines().next().and_then(|origin| origin.strip_suffix("/2")).expect("of the second epoch");
    let (_, signed) = Log::new(log.to_owned(), known_key(&second)).open(&note).expect("genuine");
    let signer = Signer::from_seed(&[9; 32]).expect("a seed");
    for (epoch, verdict) in [(1, Verdict::Bad(None)), (2, Verdict::Good), (3, Verdict::Bad(None))] {
        let origin = format!("{log}/{epoch}");
        let key = signer.verifying_key().note_form(&origin);
        let signed = signer.sign(&Checkpoint { origin, ..signed.clone() });
        fs::write(second.join("key"), format!("{key}\n")).expect("writes");
        fs::write(second.join("checkpoint"), signed).expect("writes");
        assert_eq!(agreed(&verifiers, &second.join("key"), std::slice::from_ref(&second)), [verdict], "{epoch}");
    }
}

fn known_key(folder: &Path) -> VerifyingKey {
    let text = fs::read_to_string(folder.join("key")).expect("a key");
    VerifyingKey::from_note_form(text.trim_end()).expect("in form").1
}

#[test]
fn verdicts_that_differ_are_told_apart() {
    let changed = Verdict::of("entry 17 was changed, or its hash was: one does not fit the other");
    assert_eq!(changed, Verdict::of("entry 17 does not have the hash in its tile"));
    assert_ne!(changed, Verdict::of("entry 18 does not have the hash in its tile"));
    assert_eq!(Verdict::of("the root is not the one that was signed"), Verdict::Bad(None));
    assert_eq!((Verdict::of("300 entries verified"), Verdict::of("entry 2 verified")), (Verdict::Good, Verdict::Good));
}
