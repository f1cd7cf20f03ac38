use gatewarden_access::actions::ListMembers;
use gatewarden_store::OrgRead;
use gatewarden_types::Member;

async fn read(read: &OrgRead) {
    drop(read.list::<ListMembers, Member>().await);
}

fn main() {}
