//! Everybody who may try something, and what came of it: the answer, the rows, the entry and the attempt.

use gatewarden_control::{Caller, Error};
use gatewarden_testkit::{Holder, World};
use gatewarden_trail::Entry;
use gatewarden_types::{Feature, Key, Level};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Owner,
    Admin,
    Member,
    Viewer,
    /// An admin who is suspended.
    Suspended,
    /// The owner of another organization.
    Stranger,
    Anonymous,
    /// A key of the owner's with every level.
    OwnersKey,
    /// A key of the owner's that may read members and nothing else.
    ReadingKey,
    /// A key of the owner's as keys are made unless said otherwise.
    UsualKey,
    /// The organization's own key.
    MasterKey,
}

use Who::{Admin, Anonymous, MasterKey, Member, Owner, OwnersKey, ReadingKey, Stranger, Suspended, UsualKey, Viewer};

/// What they are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// Refused for a reason, by its word.
    No(&'static str),
    /// As if there were no such thing.
    NotFound,
}

use Answer::{Done, No, NotFound};

impl Answer {
    pub fn of<T>(outcome: &Result<T, Error>) -> Self {
        match outcome {
            Ok(_) => Done,
            Err(Error::Refused(refused)) if refused.hidden => NotFound,
            Err(Error::Refused(refused)) => No(refused.reason.word()),
            Err(other) => panic!("neither done nor refused: {other:?}"),
        }
    }
}

/// What everybody is answered.
pub type Told = [(Who, Answer); 11];

/// What admins may do to anyone, and viewers see but not do.
pub const FOR_ADMINS: Told = [
    (Owner, Done),
    (Admin, Done),
    (Member, NotFound),
    (Viewer, No("permission_missing")),
    (Suspended, No("member_suspended")),
    (Stranger, NotFound),
    (Anonymous, NotFound),
    (OwnersKey, Done),
    (ReadingKey, No("key_level")),
    (UsualKey, No("key_level")),
    (MasterKey, Done),
];

/// What they are told when some answers differ.
pub fn but<const N: usize>(mut told: Told, others: [(Who, Answer); N]) -> Told {
    for (who, answer) in &mut told {
        if let Some((_, other)) = others.iter().find(|(other, _)| other == who) {
            *answer = *other;
        }
    }
    told
}

/// Everybody, with their keys.
pub struct Actors<'a> {
    world: &'a World,
    wide: Holder,
    reading: Holder,
    usual: Holder,
}

impl<'a> Actors<'a> {
    pub async fn of(world: &'a World) -> Self {
        let owners = |levels| world.key_of(world.owner(), levels);
        Self {
            world,
            wide: owners(Key::all_levels()).await,
            reading: owners([(Feature::Members, Level::Read)].into()).await,
            usual: owners(Key::usual_levels()).await,
        }
    }

    /// Somebody, with a new request.
    pub fn caller(&self, who: Who) -> Caller {
        match who {
            Owner => self.world.owner().caller(),
            Admin => self.world.admin().caller(),
            Member => self.world.member().caller(),
            Viewer => self.world.viewer().caller(),
            Suspended => self.world.suspended().caller(),
            Stranger => self.world.stranger().caller(),
            Anonymous => self.world.anonymous(),
            OwnersKey => self.wide.caller(),
            ReadingKey => self.reading.caller(),
            UsualKey => self.usual.caller(),
            MasterKey => self.world.house().master.caller(),
        }
    }
}

/// Lets everybody do something to a target of their own. What is done is one entry of `action` by them, and that entry;
/// what is refused leaves every row and the trail as they were, and one attempt.
pub async fn change<X: Copy>(
    world: &World,
    action: &str,
    told: &Told,
    target: impl AsyncFn(Who) -> X,
    act: impl AsyncFn(Caller, X) -> Result<(), Error>,
) -> Vec<(Who, X, Entry)> {
    let (actors, mut done) = (Actors::of(world).await, Vec::new());
    for (who, answer) in told.iter().copied() {
        let (target, caller) = (target(who).await, actors.caller(who));
        let (rows, entries, attempts) =
            (rows(world).await, world.trail(world.org()).await.len(), attempts(world).await);
        let outcome = act(caller.clone(), target).await;
        assert_eq!(Answer::of(&outcome), answer, "{action} by {who:?}");
        let mut new = self::attempts(world).await;
        new.retain(|attempt| !attempts.contains(attempt));
        if answer == Done {
            let trail = world.trail(world.org()).await;
            let entry = Entry::from_bytes(&trail.last().unwrap().bytes).unwrap();
            assert_eq!((trail.len(), new), (entries + 1, vec![]), "{action} by {who:?}");
            assert_eq!((entry.action.as_str(), entry.seq), (action, entries as u64 + 1));
            assert_eq!((entry.actor, entry.via, entry.request), (caller.actor, caller.via, caller.request));
            done.push((who, target, entry));
        } else {
            assert_eq!(self::rows(world).await, rows, "{action} by {who:?} changes something");
            assert!(new.len() == 1 && new[0].contains(action), "{action} by {who:?} leaves {new:?}");
        }
    }
    done
}

/// Lets everybody read something, which leaves nothing whatever the answer.
pub async fn read<T>(world: &World, told: &Told, act: impl AsyncFn(Caller) -> Result<T, Error>) -> Vec<(Who, T)> {
    let (actors, mut read) = (Actors::of(world).await, Vec::new());
    let before = (rows(world).await, attempts(world).await);
    for (who, answer) in told.iter().copied() {
        let outcome = act(actors.caller(who)).await;
        assert_eq!(Answer::of(&outcome), answer, "{who:?}");
        read.extend(outcome.ok().map(|value| (who, value)));
    }
    assert!((rows(world).await, attempts(world).await) == before, "a look changes nothing");
    read
}

/// Every row of the world's organization and its trail.
async fn rows(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    (world.tables(world.org()).await, world.trail_tables(world.org()).await)
}

async fn attempts(world: &World) -> Vec<String> {
    world.beneath_observed(world.org()).await.rows("attempts").await
}
