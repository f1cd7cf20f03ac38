use std::{
    fmt, fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use gatewarden_types::{Email, Timestamp};
use lettre::{
    AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
};
use url::Url;

use crate::{InviteMail, invite::Written};

/// How long one mail may take; whoever waits for the answer is a person.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends mail.
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Files { transport: AsyncFileTransport<Tokio1Executor>, folder: PathBuf },
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// A mail server took it.
    Sent,
    /// It lies in the folder: its link has to be passed on by hand.
    Written,
    /// Neither worked: its link has to be passed on by hand.
    Failed,
}

/// A mail could not be sent, or the settings are not fit for sending. Its text names no address and no secret.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The SMTP address cannot be used.
    #[error("the SMTP address cannot be used: {0}")]
    Url(&'static str),
    /// The sender cannot be used.
    #[error("mail cannot be sent from this address: {0}")]
    Sender(lettre::address::AddressError),
    /// The message could not be written.
    #[error("the mail could not be written: {0}")]
    Message(String),
    /// The mail server did not take it.
    #[error("the mail server did not take the mail: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
    /// The folder did not take it.
    #[error("the mail could not be kept in its folder: {0}")]
    File(#[from] lettre::transport::file::Error),
    /// The folder cannot be made.
    #[error("the folder for mail cannot be made: {0}")]
    Folder(#[from] io::Error),
}

impl Mailer {
    /// Sends over SMTP. `url` is `smtps://user:password@host:465`, encrypted from the start, or
    /// `smtp://user:password@host:587`, which insists on STARTTLS unless the host is this machine itself.
    ///
    /// To be called inside a Tokio runtime, which keeps its connections.
    ///
    /// # Errors
    /// [`MailError::Url`], [`MailError::Sender`].
    pub fn smtp(url: &str, from: &Email) -> Result<Self, MailError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(encrypted(url)?.as_str())?;
        Ok(Self { from: mailbox(from)?, way: Way::Smtp(transport.timeout(Some(PATIENCE)).build()) })
    }

    /// Writes each mail into a file of `folder`, which is made where it is not there and is its owner's alone.
    ///
    /// # Errors
    /// [`MailError::Folder`], [`MailError::Sender`].
    pub fn files(folder: &Path, from: &Email) -> Result<Self, MailError> {
        let mut make = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
        make.recursive(true).create(folder)?;
        let way = Way::Files { transport: AsyncFileTransport::new(folder), folder: folder.to_owned() };
        Ok(Self { from: mailbox(from)?, way })
    }

    /// Whether mail leaves this machine, so that nobody has to pass links on.
    pub fn sends(&self) -> bool {
        matches!(self.way, Way::Smtp(_))
    }

    /// Sends an invite at the instant `now`.
    ///
    /// # Errors
    /// When it was neither sent nor written.
    pub async fn invite(&self, mail: &InviteMail<'_>, now: Timestamp) -> Result<Delivery, MailError> {
        let written = mail.write().map_err(|bad| MailError::Message(bad.to_string()))?;
        self.send(mail.to, written, now).await
    }

    async fn send(&self, to: &Email, mail: Written, now: Timestamp) -> Result<Delivery, MailError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.as_str().parse().map_err(MailError::Sender)?))
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(now.seconds()).unwrap_or_default()))
            .subject(mail.subject)
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
            .map_err(|bad| MailError::Message(bad.to_string()))?;
        match &self.way {
            Way::Smtp(transport) => {
                transport.send(message).await?;
                Ok(Delivery::Sent)
            }
            Way::Files { transport, .. } => {
                transport.send(message).await?;
                Ok(Delivery::Written)
            }
        }
    }
}

impl fmt::Debug for Mailer {
    /// The address of the mail server carries a password, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Smtp(_) => f.write_str("Mailer::Smtp"),
            Way::Files { folder, .. } => write!(f, "Mailer::Files({})", folder.display()),
        }
    }
}

/// The address with encryption asked for wherever the mail would leave this machine.
fn encrypted(url: &str) -> Result<Url, MailError> {
    let mut url = Url::parse(url).map_err(|_| MailError::Url("give smtps://user:password@host"))?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(MailError::Url("it names no host"))?;
    let here = host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    match (url.scheme(), here) {
        ("smtps", _) | ("smtp", true) => url.set_query(None),
        ("smtp", false) => url.set_query(Some("tls=required")),
        _ => return Err(MailError::Url("it starts neither with smtps:// nor with smtp://")),
    }
    Ok(url)
}

fn mailbox(from: &Email) -> Result<Mailbox, MailError> {
    let address = from.as_str().parse().map_err(MailError::Sender)?;
    Ok(Mailbox::new(Some("Gatewarden".to_owned()), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_leaves_this_machine_encrypted_or_not_at_all() {
        let text = |url: &str| encrypted(url).map(|url| url.to_string()).ok();
        assert_eq!(text("smtp://u:p@mail.example:587?tls=x"), Some("smtp://u:p@mail.example:587?tls=required".into()));
        assert_eq!(text("smtps://u:p@mail.example"), Some("smtps://u:p@mail.example".into()));
        assert_eq!(text("smtp://127.0.0.1:25"), Some("smtp://127.0.0.1:25".into()));
        assert_eq!(text("smtp://[::1]:25"), Some("smtp://[::1]:25".into()));
        for bad in ["", "mail.example", "http://mail.example", "smtp://"] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn the_password_of_the_mail_server_is_not_shown() {
        let from = "gatewarden@example.com".parse().expect("an address");
        let mailer = Mailer::smtp("smtps://u:hunter2@mail.example", &from).expect("fit settings");
        assert_eq!(format!("{mailer:?}"), "Mailer::Smtp");
        assert!(mailer.sends());
    }
}
