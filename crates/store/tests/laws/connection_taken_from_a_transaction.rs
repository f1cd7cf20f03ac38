use gatewarden_store::OrgTx;

fn take(tx: OrgTx) {
    drop(tx.read.tx);
}

fn main() {}
