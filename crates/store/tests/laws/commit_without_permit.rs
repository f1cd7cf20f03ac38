use gatewarden_store::OrgTx;

async fn commit(tx: OrgTx) {
    drop(tx.commit().await);
}

fn main() {}
