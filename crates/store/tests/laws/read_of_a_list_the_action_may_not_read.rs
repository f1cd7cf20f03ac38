use gatewarden_access::{Permit, actions::ListMembers};
use gatewarden_store::OrgRead;
use gatewarden_types::{Key, Versioned};

async fn read(read: &OrgRead, permit: &Permit<ListMembers>) {
    let _keys: Vec<Versioned<Key>> = read.list(permit).await.unwrap();
}

fn main() {}
