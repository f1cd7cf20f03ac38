//! Inviting people into an organization, and accepting.
//!
//! An invite's link carries the invite's id and a secret; only the secret's digest is kept. Mail leaves after the
//! change is made and undoes nothing when it fails: then the inviter is shown the link.

mod accept;
mod create;
mod letter;
mod link;
mod list;
mod look;
mod resend;
mod revoke;

pub use accept::{AcceptNew, Accepted, accept, accept_new};
pub use create::{InviteMember, create};
pub use gatewarden_mail::Delivery;
pub use letter::Sent;
pub use list::{Invites, OpenInvite, list};
pub use look::{Invitation, look};
pub use resend::resend;
pub use revoke::revoke;

use gatewarden_access::{Permit, Reads, Reason};
use gatewarden_store::{AddressOf, OrgRead, StoreError};
use gatewarden_types::{Email, Id, Invite, Member};

use crate::Error;

/// How long an invite can be accepted after it was sent: 7 days.
pub const LIFETIME_SECONDS: i64 = 7 * 24 * 60 * 60;

/// That there is no such invite, or no longer: alike for unknown, used, revoked and ended ones.
const GONE: Error = Error::NotRecognized(
    "This invite cannot be used: it was used already, was revoked, or has ended. Ask whoever sent it for a new one.",
);

/// Why a link could not be used, for its holder.
fn unusable(error: StoreError) -> Error {
    match error {
        StoreError::Refused(refused) if refused.reason == Reason::Absent => GONE,
        StoreError::Refused(_) => Error::Rule(
            "Whoever invited you may no longer give this role. Ask an owner or admin of the organization to invite you.",
        ),
        other => other.into(),
    }
}

/// Refuses an address that is taken by anything but `except`.
async fn refuse_taken<A: Reads<Member> + Reads<Invite>>(
    read: &OrgRead,
    permit: &Permit<A>,
    email: &Email,
    except: Option<Id<Invite>>,
) -> Result<(), Error> {
    match read.address_of(permit, email).await? {
        Some(AddressOf::Member(_)) => Err(Error::field("email", format!("{email} is a member already."))),
        Some(AddressOf::Invite(invite)) if Some(invite) != except => Err(Error::field(
            "email",
            format!("{email} has an open invite already. Send that one again, or revoke it."),
        )),
        _ => Ok(()),
    }
}
