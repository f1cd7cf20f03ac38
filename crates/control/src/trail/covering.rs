use gatewarden_access::{Permit, actions::ReadTrail};
use gatewarden_store::OrgRead;
use gatewarden_types::{Id, Organization, Seq};

use crate::{App, Error};

/// The smallest genuine checkpoint of the current epoch that covers `seq`: its size and its note. Signatures are checked
/// from the smallest on, so that mostly one is. It ends the read.
pub(super) async fn covering(
    app: &App,
    read: OrgRead,
    permit: &Permit<ReadTrail>,
    organization: Id<Organization>,
    seq: Seq,
) -> Result<Option<(u64, String)>, Error> {
    let log = app.store.log(organization)?;
    let origin = log.origin(read.epoch());
    let kept = read.kept_checkpoints(permit).await?;
    let size = |note: &String| note.lines().nth(1).and_then(|size| size.parse::<u64>().ok());
    let sized = kept.notes.into_iter().filter_map(|note| Some((size(&note)?, note)));
    let mut covering: Vec<(u64, String)> = sized.filter(|(size, _)| *size >= seq).collect();
    covering.sort_unstable();
    Ok(covering.into_iter().find(|(_, note)| log.key().open(note, &origin).is_ok()))
}
