use gatewarden_store::OrgTx;
use gatewarden_types::Member;

async fn write(tx: &mut OrgTx, member: &Member) {
    drop(tx.put(member).await);
}

fn main() {}
