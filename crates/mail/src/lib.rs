//! Mail: what is written, and how it leaves. Over SMTP where that is configured, else into files of a folder.
//!
//! This crate knows no use case and no database. Addresses and names come in as typed words without control
//! characters, so nothing that a person typed can become a header. Bodies carry secrets (links), so no body is logged.
#![warn(missing_docs)]

mod invite;
mod mailer;

pub use invite::InviteMail;
pub use mailer::{Delivery, MailError, Mailer};
