use gatewarden_control::roles;
use gatewarden_testkit::on_both;
use gatewarden_types::{Builtin, Reach};

use crate::actors::{Answer::Done, FOR_ADMINS, Who, but, read};

on_both! {
    // proves RQ-001, RL-008, PK-013, LL-009
    async fn everybody_who_is_in_sees_the_built_in_roles(world: World) {
        let (app, org) = (world.app(), world.org());
        let told = but(FOR_ADMINS, [(Who::Member, Done), (Who::Viewer, Done), (Who::ReadingKey, Done)]);
        for (who, roles) in read(&world, &told, async |by| roles::list(app, &by, org).await).await {
            let listed: Vec<_> = roles.iter().map(|role| (role.record.id, role.record.name.as_str())).collect();
            let built_in = [
                (world.role(Builtin::Owner), "Owner"),
                (world.role(Builtin::Admin), "Admin"),
                (world.role(Builtin::Member), "Member"),
                (world.role(Builtin::Viewer), "Viewer"),
            ];
            assert_eq!(listed, built_in, "{who:?}");
            assert!(roles.iter().all(|role| role.version == 1), "they are rows of the first entry");
            let [owner, admin, member, viewer] = roles.as_slice() else { panic!("{roles:?}") };
            let lacks = |role: &gatewarden_types::Role, word: &str| !role.powers.contains_key(word);
            assert!(lacks(&admin.record, "roles:escalate") && owner.record.powers.len() == admin.record.powers.len() + 1);
            assert_eq!(member.record.powers.get("keys:read"), Some(&Reach::Own));
            assert!(viewer.record.powers.keys().all(|word| word.ends_with(":read")), "viewers change nothing");
        }
    }
}
