//! Three days of a control plane and its gateways in seconds: broken connections, changed bytes, programs that die, cut
//! files, disks that go away, clocks that are set, records that cannot be read, and restored backups. What a gateway does
//! about it is what the program does: the same state machines and the same disk. Everything follows from a seed, which a
//! failure names; `GATEWARDEN_SIMULATION` plays one again.

mod gateway;
mod plane;

use std::thread;

use gatewarden_credentials::RootKey;
use gatewarden_feed::FeedEvent;
use gatewarden_gateway::{Follower, SealingKeys};
use gatewarden_types::{AnyRecord, Digest, Entropy, Id, Organization};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use uuid::Uuid;

use crate::given::{key, organization};
use gateway::Gateway;
use plane::Plane;

/// How long a step is, in seconds. The control plane's beat is shorter; what matters happens at far longer distances.
const STEP: usize = 30;
/// How long trouble lasts, in seconds: 72 hours.
const TROUBLE: i64 = 72 * 60 * 60;
/// An hour in which nothing goes wrong any more.
const CALM: i64 = 60 * 60;
const GATEWAYS: u8 = 3;
const BEGAN: i64 = 1_800_000_000;
const END: i64 = BEGAN + TROUBLE + CALM;

/// The number of a key that another organization has already: no gateway takes it of this one.
const NEIGHBOURS_KEY: u128 = 5;

/// A follower that knows another organization, and nothing yet of this one.
fn follower() -> Follower {
    let sealing = RootKey::generate(&Entropy::new(|bytes| bytes.fill(7))).sealing();
    let mut follower = Follower::new(SealingKeys::One(sealing));
    let neighbour = Organization { id: Id::from_uuid(Uuid::from_u128(2)), ..organization() };
    let (organization, head) = (neighbour.id, Digest([1; 32]));
    let records = vec![AnyRecord::Organization(neighbour), AnyRecord::Key(key(NEIGHBOURS_KEY))];
    assert_eq!(
        follower.step(FeedEvent::Base { organization, seq: 1, head, continues: false, records, bodies: Vec::new() }),
        None
    );
    follower
}

fn trouble(gateway: &mut Gateway, plane: &Plane, rng: &mut StdRng, now: i64) {
    gateway.away = (gateway.away - 1).max(0);
    if rng.random_bool(0.003) {
        // From half a minute to a day and a half.
        gateway.away = 1 << rng.random_range(0..13);
    }
    if rng.random_bool(0.003) {
        gateway.lose_or_find_disk();
    }
    while rng.random_bool(0.008) {
        gateway.die(plane, rng, now);
    }
}

/// Says which simulation it was that failed.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("GATEWARDEN_SIMULATION={} plays this again", self.0);
        }
    }
}

fn three_days(seed: u64) {
    let _named = Named(seed);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut plane = Plane::new();
    let mut gateways: Vec<Gateway> = (0..GATEWAYS).map(Gateway::new).collect();
    for now in (BEGAN..END - CALM).step_by(STEP) {
        if rng.random_bool(0.03) {
            plane.change(&mut rng);
        }
        if rng.random_bool(0.02) {
            plane.mend();
        }
        for gateway in &mut gateways {
            trouble(gateway, &plane, &mut rng, now);
            gateway.live(&plane, &mut rng, now);
            gateway.check(&plane, now);
        }
    }
    plane.mend();
    calm(&mut gateways, &plane, &mut rng);
    // By now they listen, and hear of this as an entry.
    plane.rename(&mut rng);
    for gateway in &mut gateways {
        gateway.live(&plane, &mut rng, END);
        assert!(gateway.follows(&plane), "it has another policy");
        gateway.restart(END);
        assert!(gateway.follows(&plane), "it has kept another policy");
    }
}

/// An hour in which each gateway comes to the policy there is now.
fn calm(gateways: &mut [Gateway], plane: &Plane, rng: &mut StdRng) {
    for gateway in gateways {
        gateway.settle_down();
        for now in (END - CALM..END).step_by(STEP) {
            gateway.live(plane, rng, now);
            gateway.check(plane, now);
        }
        assert!(gateway.follows(plane), "it has another policy");
    }
}

#[test]
fn three_days_of_trouble_end_in_the_same_state_everywhere() {
    match std::env::var("GATEWARDEN_SIMULATION") {
        Ok(seed) => three_days(seed.parse().unwrap()),
        Err(_) => thread::scope(|all| {
            for seed in 1..=5 {
                all.spawn(move || three_days(seed));
            }
        }),
    }
}
