//! What members are called, as far as the reader may know.

use std::collections::BTreeMap;

use gatewarden_access::actions::ListMembers;
use gatewarden_store::{OrgRead, Person, StoreError};
use gatewarden_types::{Id, Member, Reach};

/// Who these members are; those whom the reader may not see, and those nobody knows any more, are left out.
pub(crate) async fn people(
    read: &OrgRead,
    members: impl IntoIterator<Item = Id<Member>>,
) -> Result<BTreeMap<Id<Member>, Person>, StoreError> {
    let Ok(permit) = read.permit::<ListMembers>() else { return Ok(BTreeMap::new()) };
    let seen = members.into_iter().filter(|member| permit.reach() == Reach::All || permit.member() == Some(*member));
    read.people(&permit, seen.collect::<Vec<_>>()).await
}
