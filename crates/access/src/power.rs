//! What someone may do, permission by permission, in a form that compares in a few instructions.

use gatewarden_types::{Powers, Reach};

use crate::Permission;

/// For each permission how far it reaches, or not at all. Ordered by inclusion through [`PowerSet::covers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PowerSet {
    own: u64,
    all: u64,
}

impl PowerSet {
    /// No power at all.
    pub const NONE: Self = Self { own: 0, all: 0 };

    /// The powers that `words` grant in this release; unknown words and those that no role may hold grant nothing.
    pub fn of(words: &Powers) -> Self {
        let known = words.iter().filter_map(|(word, reach)| Some((Permission::parse(word)?, *reach)));
        known.filter(|(permission, _)| permission.in_roles()).fold(Self::NONE, |set, (p, reach)| set.with(p, reach))
    }

    /// This and `permission` at `reach`.
    #[must_use]
    pub const fn with(mut self, permission: Permission, reach: Reach) -> Self {
        self.own |= bit(permission);
        if matches!(reach, Reach::All) {
            self.all |= bit(permission);
        }
        self
    }

    /// This less `permission`.
    #[must_use]
    pub const fn without(self, permission: Permission) -> Self {
        Self { own: self.own & !bit(permission), all: self.all & !bit(permission) }
    }

    /// How far `permission` reaches here.
    pub const fn reach(self, permission: Permission) -> Option<Reach> {
        if self.all & bit(permission) != 0 {
            Some(Reach::All)
        } else if self.own & bit(permission) != 0 {
            Some(Reach::Own)
        } else {
            None
        }
    }

    /// Whether everything in `other` is here, as far as it reaches there.
    pub const fn covers(self, other: Self) -> bool {
        other.own & !self.own == 0 && other.all & !self.all == 0
    }

    /// A permission of `other` that is not here, or not as far.
    pub fn lacks(self, other: Self) -> Option<Permission> {
        let lacking = (other.own & !self.own) | (other.all & !self.all);
        Permission::ALL.get(lacking.trailing_zeros() as usize).copied()
    }
}

const fn bit(permission: Permission) -> u64 {
    1 << permission as u64
}

const _: () = assert!(Permission::ALL.len() <= 64, "a power set has 64 bits");

#[cfg(test)]
mod tests {
    use gatewarden_types::Builtin;

    use super::*;
    use crate::builtin_powers;

    #[test]
    fn roles_are_ordered_and_owners_alone_escalate() {
        let of = |role| PowerSet::of(&builtin_powers(role));
        let (owner, admin) = (of(Builtin::Owner), of(Builtin::Admin));
        assert!(owner.covers(admin) && admin.covers(of(Builtin::Viewer)) && admin.covers(of(Builtin::Member)));
        assert_eq!(admin.lacks(owner), Some(Permission::RolesEscalate));
        assert_eq!(owner.lacks(admin), None);
    }

    #[test]
    fn what_lacks_nothing_covers() {
        let roles = [Builtin::Owner, Builtin::Admin, Builtin::Member, Builtin::Viewer];
        let sets = roles.map(|role| PowerSet::of(&builtin_powers(role)));
        for (mine, given) in sets.into_iter().flat_map(|mine| sets.map(|given| (mine, given))) {
            let first = Permission::ALL.iter().copied().find(|p| mine.reach(*p) < given.reach(*p));
            assert_eq!((mine.lacks(given), mine.covers(given)), (first, first.is_none()));
        }
    }

    #[test]
    fn words_outside_roles_grant_nothing() {
        let powers: Powers = [("usage:record".to_owned(), Reach::All), ("made:up".to_owned(), Reach::All)].into();
        assert_eq!(PowerSet::of(&powers), PowerSet::NONE);
    }
}
