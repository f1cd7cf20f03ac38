//! Everybody who asks.

use gatewarden_access::Facts;
use gatewarden_testkit::{Someone, World};
use gatewarden_types::{Key, Levels};

use crate::harness::{Asker, browser};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Nobody,
    Owner,
    Admin,
    Member,
    Viewer,
    Suspended,
    Stranger,
    OwnersKey,
    MembersKey,
    UsualKey,
    StrangersKey,
    UnknownKey,
}

impl Who {
    pub fn has_browser(self) -> bool {
        use Who::{Admin, Member, Owner, Stranger, Suspended, Viewer};
        matches!(self, Owner | Admin | Member | Viewer | Suspended | Stranger)
    }

    pub fn has_key(self) -> bool {
        use Who::{MembersKey, OwnersKey, StrangersKey, UsualKey};
        matches!(self, OwnersKey | MembersKey | UsualKey | StrangersKey)
    }

    pub fn is_inside(self) -> bool {
        !matches!(self, Who::Nobody | Who::Stranger | Who::StrangersKey | Who::UnknownKey)
    }
}

/// Everybody, with their browsers and keys.
pub struct Cast {
    pub owner: Asker,
    pub owners_key: Asker,
    all: Vec<(Who, Asker, Option<gatewarden_control::Caller>)>,
}

impl Cast {
    pub async fn gather(world: &World) -> Self {
        let mut all = vec![(Who::Nobody, Asker::Nobody, None)];
        let people: [(Who, &Someone); 6] = [
            (Who::Owner, world.owner()),
            (Who::Admin, world.admin()),
            (Who::Member, world.member()),
            (Who::Viewer, world.viewer()),
            (Who::Suspended, world.suspended()),
            (Who::Stranger, world.stranger()),
        ];
        for (who, someone) in people {
            all.push((who, Asker::Browser(browser(world, someone).await), Some(someone.caller())));
        }
        let keys: [(Who, &Someone, Levels); 3] = [
            (Who::OwnersKey, world.owner(), Key::all_levels()),
            (Who::MembersKey, world.member(), Key::all_levels()),
            (Who::UsualKey, world.owner(), Key::usual_levels()),
        ];
        for (who, someone, levels) in keys {
            let holder = world.key_of(someone, levels).await;
            all.push((who, Asker::Key(holder.text.clone()), Some(holder.caller())));
        }
        let strangers = world.other_house().master.clone();
        all.push((Who::StrangersKey, Asker::Key(strangers.text), None));
        let unknown = gatewarden_credentials::ApiKey::generate(world.app().id(), &world.app().entropy);
        all.push((Who::UnknownKey, Asker::Key(unknown.text().expose().clone()), None));
        let find = |wanted| all.iter().find(|(who, ..)| *who == wanted).map(|(_, asker, _)| asker.clone()).unwrap();
        Self { owner: find(Who::Owner), owners_key: find(Who::OwnersKey), all }
    }

    pub fn everybody(&self) -> impl Iterator<Item = (Who, Asker)> {
        self.all.iter().map(|(who, asker, _)| (*who, asker.clone()))
    }

    /// What somebody may do in the world's organization, as the store reads it.
    pub async fn facts(&self, world: &World, who: Who) -> Facts {
        let caller = self.all.iter().find(|(other, ..)| *other == who).and_then(|(.., caller)| caller.clone());
        let caller = caller.unwrap_or_else(|| world.anonymous());
        world.app().store.read(&caller, world.org()).await.unwrap().facts().clone()
    }
}
