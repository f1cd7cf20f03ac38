use gatewarden_access::{Permit, actions::ReadMember};
use gatewarden_store::OrgTx;
use gatewarden_types::Member;

async fn write(tx: &mut OrgTx, permit: &Permit<ReadMember>, member: &Member) {
    drop(tx.put(permit, member).await);
}

fn main() {}
