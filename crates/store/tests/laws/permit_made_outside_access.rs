use gatewarden_access::{Facts, Permit, actions::ChangeMemberRole};
use gatewarden_types::{Reach, Target};

fn make(facts: &Facts, target: Target) -> Permit<ChangeMemberRole> {
    Permit::new(facts, target, Reach::All)
}

fn main() {}
