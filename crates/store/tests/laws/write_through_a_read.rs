use gatewarden_access::{Permit, actions::ChangeMemberRole};
use gatewarden_store::OrgRead;
use gatewarden_types::Member;

async fn write(read: &mut OrgRead, permit: &Permit<ChangeMemberRole>, member: &Member) {
    drop(read.put(permit, member).await);
}

fn main() {}
