//! Everybody who asks.

use std::time::Duration;

use gatewarden_access::Facts;
use gatewarden_control::{
    keys::{self, CreateKey},
    members, sessions,
};
use gatewarden_testkit::{Holder, Someone, World};
use gatewarden_types::{Key, Levels};

use crate::harness::{Asker, Browser, browser};

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
    MasterKey,
    SuspendedsKey,
    StrangersKey,
    UnknownKey,
    RevokedKey,
    ExpiredKey,
    SignedOut,
}

impl Who {
    pub fn has_browser(self) -> bool {
        use Who::{Admin, Member, Owner, Stranger, Suspended, Viewer};
        matches!(self, Owner | Admin | Member | Viewer | Suspended | Stranger)
    }

    pub fn has_key(self) -> bool {
        use Who::{MasterKey, MembersKey, OwnersKey, StrangersKey, SuspendedsKey, UsualKey};
        matches!(self, OwnersKey | MembersKey | UsualKey | MasterKey | SuspendedsKey | StrangersKey)
    }

    pub fn is_inside(self) -> bool {
        self != Who::Stranger && self != Who::StrangersKey && (self.has_browser() || self.has_key())
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
        // First, because it signs the owner out everywhere.
        let signed_out = signed_out(world).await;
        let mut all = vec![(Who::Nobody, Asker::Nobody, None), (Who::SignedOut, Asker::Browser(signed_out), None)];
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
        let master = &world.house().master;
        all.push((Who::MasterKey, Asker::Key(master.text.clone()), Some(master.caller())));
        let suspendeds = suspendeds_key(world).await;
        all.push((Who::SuspendedsKey, Asker::Key(suspendeds.text.clone()), Some(suspendeds.caller())));
        all.push((Who::RevokedKey, Asker::Key(revoked_key(world).await), None));
        all.push((Who::ExpiredKey, Asker::Key(expired_key(world).await), None));
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

/// Someone who made a key before they were suspended.
async fn suspendeds_key(world: &World) -> Holder {
    let (app, owner, suspended) = (world.app(), world.owner().caller(), world.suspended());
    members::reinstate(app, &owner, world.org(), suspended.id(), None).await.unwrap();
    let holder = world.key_of(suspended, Key::all_levels()).await;
    members::suspend(app, &owner, world.org(), suspended.id(), None).await.unwrap();
    holder
}

async fn revoked_key(world: &World) -> String {
    let holder = world.key_of(world.owner(), Key::all_levels()).await;
    keys::revoke(world.app(), &world.owner().caller(), world.org(), holder.key, None).await.unwrap();
    holder.text
}

async fn expired_key(world: &World) -> String {
    let command = CreateKey {
        levels: Key::all_levels(),
        expires: Some(world.app().clock.now().plus_seconds(5)),
        ..CreateKey::usual("Short".parse().unwrap())
    };
    let made = keys::create(world.app(), &world.owner().caller(), world.org(), command).await.unwrap();
    // Less than a minute, after which the next use of each session would be noted: one statement more, once.
    world.time().pass(Duration::from_secs(6));
    made.secret.unwrap().expose().clone()
}

async fn signed_out(world: &World) -> Browser {
    let browser = browser(world, world.owner()).await;
    sessions::revoke_others(world.app(), &world.owner().caller()).await.unwrap();
    browser
}
