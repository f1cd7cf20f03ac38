//! When an enrolment that was ended can be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use gatewarden_gateway::UsageStatus;
use gatewarden_types::{Id, Organization};

/// At how many looks in a row nothing may wait, a second each. Calls under way are ended within some seconds of the removal,
/// and their records lie in the spool a moment later.
const QUIET: u32 = 10;

/// The organizations that have removed this gateway: without its enrolment, the usage that it still has of one could not be
/// handed over after a restart.
#[derive(Debug, Default)]
pub struct Leaving(BTreeMap<Id<Organization>, u32>);

impl Leaving {
    /// Looks once more; those whose enrolment is of no more use, each once.
    pub fn look(&mut self, removed: &BTreeSet<Id<Organization>>, usage: UsageStatus) -> Vec<Id<Organization>> {
        // The spool does not say whose records wait, and in memory there are some as long as the disk takes none.
        let quiet = usage.waiting == 0 && !usage.unwritable;
        let mut done = Vec::new();
        for organization in removed {
            let looks = self.0.entry(*organization).or_default();
            if *looks == QUIET {
                continue;
            }
            *looks = if quiet { *looks + 1 } else { 0 };
            if *looks == QUIET {
                done.push(*organization);
            }
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use gatewarden_types::{Entropy, Timestamp};

    use super::*;

    fn usage(waiting: u64, unwritable: bool) -> UsageStatus {
        UsageStatus { kept: 9, waiting, bytes: 0, unwritable, dropped: 0 }
    }

    #[test]
    fn an_enrolment_is_forgotten_once_and_only_when_nothing_has_waited_for_a_while() {
        let removed = BTreeSet::from([Id::new(Timestamp::default(), &Entropy::new(|bytes| bytes.fill(1)))]);
        let (mut leaving, quiet) = (Leaving::default(), usage(0, false));
        assert!(leaving.look(&BTreeSet::new(), quiet).is_empty());
        for busy in [usage(1, false), usage(0, true)] {
            assert!((1..QUIET).all(|_| leaving.look(&removed, quiet).is_empty()));
            assert!(leaving.look(&removed, busy).is_empty(), "{busy:?} begins it anew");
        }
        assert!((1..QUIET).all(|_| leaving.look(&removed, quiet).is_empty()));
        assert_eq!(leaving.look(&removed, quiet), Vec::from_iter(removed.clone()));
        assert!(leaving.look(&removed, quiet).is_empty(), "it is forgotten already");
    }
}
