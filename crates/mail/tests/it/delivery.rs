use gatewarden_mail::{Delivery, InviteMail, MailError, Mailer};
use gatewarden_types::{Email, Name, Timestamp};

use crate::sink::Sink;

const LINK: &str = "https://gatewarden.example/invites/inv_00000000000000000000000000.secret";
const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn email(text: &str) -> Email {
    text.parse().expect("an address")
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

async fn send(mailer: &Mailer, organization: &str) -> Result<Delivery, MailError> {
    let (to, organization) = (email("grace@example.com"), name(organization));
    let (invited_by, role) = (name("Ada Lindqvist"), name("Admin"));
    let mail = InviteMail {
        to: &to,
        organization: &organization,
        invited_by: &invited_by,
        role: &role,
        link: LINK,
        expires: NOW.plus_seconds(7 * 86_400),
    };
    mailer.invite(&mail, NOW).await
}

/// The lines as they were before the mail was made fit for the wire (RFC 2045, quoted-printable).
fn unfolded(lines: &[String]) -> String {
    lines.join("\n").replace("=\n", "").replace("=3D", "=")
}

#[tokio::test]
async fn an_invite_reaches_a_mail_server() {
    let sink = Sink::start(None).await;
    let mailer = Mailer::smtp(&sink.url, &email("gatewarden@example.com")).expect("fit settings");
    assert_eq!(send(&mailer, "Acme").await.expect("taken"), Delivery::Sent);
    let received = sink.received().await;
    let has = |line: &str| received.iter().any(|received| received == line);
    assert!(has("MAIL FROM:<gatewarden@example.com>") && has("RCPT TO:<grace@example.com>"));
    assert!(has("Subject: Ada Lindqvist invited you to Acme") && has("To: grace@example.com"));
    assert!(has(LINK), "in the plain text, whole: {received:#?}");
    let page = unfolded(&received);
    assert!(page.contains(&format!("href=\"{LINK}\"")), "in the page: {page}");
    assert!(page.contains("until 2023-11-21 22:13 UTC"));
    assert!(has("Date: Tue, 14 Nov 2023 22:13:20 +0000"), "the time comes from the caller");
}

#[tokio::test]
async fn a_mail_server_that_refuses_is_told_without_the_link() {
    let sink = Sink::start(Some("550 no such mailbox")).await;
    let mailer = Mailer::smtp(&sink.url, &email("gatewarden@example.com")).expect("fit settings");
    let bad = send(&mailer, "Acme").await.expect_err("refused").to_string();
    assert!(bad.contains("550") || bad.contains("permanent"), "{bad}");
    assert!(!bad.contains("secret"), "{bad}");
}

#[tokio::test]
async fn without_a_mail_server_mail_lies_in_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let mail = folder.path().join("mail");
    let mailer = Mailer::files(&mail, &email("gatewarden@example.com")).expect("a folder");
    assert!(!mailer.sends());
    assert_eq!(send(&mailer, "Acme").await.expect("written"), Delivery::Written);
    let files: Vec<_> = std::fs::read_dir(&mail).expect("is there").map(|file| file.expect("a file").path()).collect();
    assert_eq!(files.len(), 1);
    assert!(std::fs::read_to_string(&files[0]).expect("text").contains(LINK));
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&mail).expect("is there").permissions());
        assert_eq!(mode & 0o077, 0, "links are nobody else's");
    }
}

#[tokio::test]
async fn what_people_type_stays_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let mailer = Mailer::files(folder.path(), &email("gatewarden@example.com")).expect("a folder");
    assert!("Acme\r\nBcc: eve@example.com".parse::<Name>().is_err());
    send(&mailer, "<b>Acme</b> Bcc: eve@example.com").await.expect("written");
    let file = std::fs::read_dir(folder.path()).expect("is there").next().expect("one").expect("a file").path();
    let text = std::fs::read_to_string(file).expect("text");
    assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
    assert!(text.contains("<h1>Join ") && !text.contains("<h1>Join <b>"), "{text}");
}
