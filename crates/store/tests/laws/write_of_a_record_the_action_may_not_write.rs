use gatewarden_access::{Permit, actions::ChangeMemberRole};
use gatewarden_store::OrgTx;
use gatewarden_types::Key;

async fn write(tx: &mut OrgTx, permit: &Permit<ChangeMemberRole>, key: &Key) {
    drop(tx.put::<ChangeMemberRole, Key>(permit, key).await);
}

fn main() {}
