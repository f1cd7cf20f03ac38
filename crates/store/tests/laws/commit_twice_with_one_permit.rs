use gatewarden_access::{Permit, actions::ChangeMemberRole};
use gatewarden_store::OrgTx;

async fn commit(first: OrgTx, second: OrgTx, permit: Permit<ChangeMemberRole>) {
    drop(first.commit(permit).await);
    drop(second.commit(permit).await);
}

fn main() {}
