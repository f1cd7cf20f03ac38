//! Gateways on other hosts, and the control plane that they are linked to.

use super::{
    FAILING, OF_GATEWAYS,
    chance::Chance,
    disk::Disk,
    fleet::{Fleet, Victims},
    host::Host,
    kept::Kept,
    rounds,
};
use crate::program::Folder;

const FIRST: usize = 0;

/// Who is killed together.
const VICTIMS: [Victims; 4] = [
    Victims { plane: false, gateway: Some(0) },
    Victims { plane: false, gateway: Some(1) },
    Victims { plane: true, gateway: None },
    Victims { plane: true, gateway: Some(0) },
];

/// Kills gateways, the control plane or both in the midst of calls and changes, again and again.
async fn kill(folder: Folder, kills: usize, mut chance: Chance) {
    let mut fleet = Fleet::new(folder, vec![Host::new(), Host::new()]).await;
    let (mut kept, mut killed, mut rounds) = (Kept::default(), 0, 0);
    while killed < kills {
        fleet.start().await;
        fleet.check(&mut kept).await;
        let load = fleet.load().await;
        load.until_made(chance.up_to(12)).await;
        if *chance.of_all(&[true, false]) {
            load.until_spooled(1).await;
        }
        let victims = *chance.of_all(&VICTIMS);
        fleet.kill(victims, load, &mut kept).await;
        rounds += 1;
        killed += usize::from(victims.plane) + usize::from(victims.gateway.is_some());
    }
    let kept = fleet.conclude(kept).await;
    assert!(kept.changes() >= rounds, "{} changes in {rounds} rounds", kept.changes());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_gateways_and_a_killed_control_plane_have_lost_nothing_on_sqlite() {
    if let Some(kills) = rounds(OF_GATEWAYS) {
        kill(Folder::new(), kills, Chance::of("kills of gateways on SQLite")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_gateways_and_a_killed_control_plane_have_lost_nothing_on_postgres() {
    if let Some(kills) = rounds(OF_GATEWAYS) {
        let folder = Folder::on_postgres().await.expect("whoever sets GATEWARDEN_TEST_FAULTS brings PostgreSQL");
        kill(folder, kills, Chance::of("kills of gateways on PostgreSQL")).await;
    }
}

/// What a gateway logs when its disk takes nothing.
const LOGGED: [&str; 2] = ["the disk takes no usage", "the policy cannot be kept on disk"];

/// Waits until the first gateway has logged what it can no longer keep.
async fn until_logged(fleet: &Fleet) {
    super::until("what cannot be kept is in the log", async || {
        let log = fleet.gateway(FIRST).log();
        LOGGED.iter().all(|line| log.contains(line))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_disk_does_not_sync_serves_on_and_loses_nothing() {
    let Some(rounds) = rounds(FAILING) else { return };
    let mut fleet = Fleet::new(Folder::new(), vec![Host::new()]).await;
    let mut kept = Kept::default();
    for round in 0..rounds {
        let switch = fleet.start_fallible(FIRST);
        fleet.start().await;
        fleet.check(&mut kept).await;
        let load = fleet.load().await;
        load.until_spooled(1).await;
        switch.fail_writes(round);
        load.until_unwritable().await;
        load.until_made(3).await;
        until_logged(&fleet).await;
        if switch.mend_writes(round) {
            load.until_spooled(1).await;
        }
        fleet.kill(Victims { plane: false, gateway: Some(FIRST) }, load, &mut kept).await;
    }
    fleet.conclude(kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_disk_is_full_serves_on_and_loses_nothing() {
    let Some(rounds) = rounds(FAILING) else { return };
    let disk = Disk::new();
    let mut fleet = Fleet::new(Folder::new(), vec![Host::within(disk.path())]).await;
    let mut kept = Kept::default();
    for round in 0..rounds {
        fleet.start().await;
        fleet.check(&mut kept).await;
        let load = fleet.load().await;
        load.until_spooled(1).await;
        disk.fill();
        load.until_unwritable().await;
        load.until_made(3).await;
        until_logged(&fleet).await;
        let mends = round % 2 == 0;
        if mends {
            disk.clear();
            load.until_spooled(1).await;
        }
        fleet.kill(Victims { plane: false, gateway: Some(FIRST) }, load, &mut kept).await;
        if !mends {
            disk.clear();
        }
    }
    fleet.conclude(kept).await;
}
