use gatewarden_access::{Caller, actions::ReadTrail};
use gatewarden_trail::{Proof, leaves_for_proof};
use gatewarden_types::{Id, Organization, Seq};

use super::covering::covering;
use crate::{App, Error};

/// The proof that an entry is in the trail, which anyone can check who has the trail's key; none when there is no entry
/// at this position. Where no checkpoint covers the entry yet, one is signed.
///
/// # Errors
/// When the caller may not read the trail, or what is stored does not prove the entry.
pub async fn prove(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    seq: Seq,
) -> Result<Option<Proof>, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<ReadTrail>()?;
    if seq == 0 || seq > read.size(&permit).await? {
        return Ok(None);
    }
    let checkpoint = match covering(app, read, &permit, organization, seq).await? {
        Some(kept) => kept,
        None => app.store.checkpoint(organization).await?.ok_or_else(|| unproven(seq))?,
    };
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<ReadTrail>()?;
    let leaves = read.leaves(&permit, &leaves_for_proof(seq, checkpoint.0)).await?;
    let stored = read.stored(&permit, seq - 1, 1).await?.pop().filter(|stored| stored.seq == seq);
    let proof = stored.and_then(|stored| Proof::new(seq, stored.bytes, checkpoint, &leaves));
    let log = app.store.log(organization)?;
    let origin = log.origin(read.epoch());
    // What does not prove the entry here would prove nothing elsewhere either.
    match proof.filter(|proof| proof.verify(log.key(), &origin).is_ok()) {
        Some(proof) => Ok(Some(proof)),
        None => Err(unproven(seq)),
    }
}

fn unproven(seq: Seq) -> Error {
    Error::Internal(format!(
        "entry {seq} is not the one that was signed; `gatewarden trail verify` looks for the cause"
    ))
}
