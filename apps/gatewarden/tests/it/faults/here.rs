//! The program and the gateway in its own process.

use super::{
    FAILING, OF_THE_PROGRAM,
    chance::Chance,
    disk::Disk,
    kept::{Fate, Kept},
    load::Load,
    rounds,
    site::Site,
};
use crate::program::{Folder, Running};

/// Kills the program, under a load that ends with it.
async fn kill(running: &mut Running, load: Load, kept: &mut Kept, site: &Site) {
    running.kill();
    kept.changed(load.admins.end().await);
    for callers in load.callers {
        kept.called(callers.end().await, &site.spool(), Fate::Killed);
    }
}

/// Starts it once more, and checks all that was acknowledged.
async fn conclude(site: &Site, mut kept: Kept) -> Kept {
    let running = site.start();
    kept.check_all(site, &Site::served(&running)).await;
    drop(running);
    site.verify();
    kept
}

/// Kills the program in the midst of calls and changes, again and again.
async fn kill_again_and_again(folder: Folder, rounds: usize, mut chance: Chance) {
    let site = Site::new(folder).await;
    let mut kept = Kept::default();
    for _ in 0..rounds {
        let mut running = site.start();
        let served = Site::served(&running);
        kept.check(&site, &served).await;
        let load = Load::begin(&served, &site.key).await;
        load.until_made(chance.up_to(23)).await;
        if *chance.of_all(&[true, false]) {
            load.until_spooled(1).await;
        }
        kill(&mut running, load, &mut kept, &site).await;
    }
    let kept = conclude(&site, kept).await;
    let (changes, spooled) = (kept.changes(), kept.spooled());
    assert!(changes >= rounds && spooled >= rounds / 4, "{changes} changes, {spooled} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_program_has_lost_nothing_on_sqlite() {
    if let Some(rounds) = rounds(OF_THE_PROGRAM) {
        kill_again_and_again(Folder::new(), rounds, Chance::of("kills on SQLite")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_program_has_lost_nothing_on_postgres() {
    if let Some(rounds) = rounds(OF_THE_PROGRAM) {
        let folder = Folder::on_postgres().await.expect("whoever sets GATEWARDEN_TEST_FAULTS brings PostgreSQL");
        kill_again_and_again(folder, rounds, Chance::of("kills on PostgreSQL")).await;
    }
}

/// Lets fsync fail, always or now and then, and what writes pages besides. Half of the times it stays so until the
/// program is killed.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_synced_is_not_acknowledged() {
    let Some(rounds) = rounds(FAILING) else { return };
    let site = Site::new(Folder::new()).await;
    let mut kept = Kept::default();
    for round in 0..rounds {
        let (mut running, switch) = site.start_fallible();
        let served = Site::served(&running);
        kept.check(&site, &served).await;
        let load = Load::begin(&served, &site.key).await;
        load.until_made(2).await;
        switch.fail_writes(round);
        load.admins.until_refused().await;
        load.until_unwritable().await;
        if switch.mend_writes(round) {
            load.until_made(3).await;
            load.until_spooled(1).await;
        }
        kill(&mut running, load, &mut kept, &site).await;
    }
    conclude(&site, kept).await;
}

/// Of the program's files, only those of the spool are synced by `fdatasync` where everything else goes well.
#[tokio::test(flavor = "multi_thread")]
async fn usage_counts_as_kept_only_once_it_is_synced() {
    if rounds(FAILING).is_none() {
        return;
    }
    let site = Site::new(Folder::new()).await;
    let mut kept = Kept::default();
    let (mut running, switch) = site.start_fallible();
    let load = Load::begin(&Site::served(&running), &site.key).await;
    let callers = &load.callers[0];
    callers.until_spooled(1).await;
    switch.fail("posix/io/sync/fdatasync");
    callers.until_unwritable().await;
    let before = callers.figure("gatewarden_usage_kept_total").await;
    callers.until_called(20).await;
    assert_eq!(callers.figure("gatewarden_usage_kept_total").await, before);
    switch.mend("posix/io/sync/fdatasync");
    callers.until_spooled(1).await;
    kill(&mut running, load, &mut kept, &site).await;
    conclude(&site, kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_nothing_that_was_acknowledged() {
    let Some(rounds) = rounds(FAILING) else { return };
    let disk = Disk::new();
    let site = Site::new(Folder::within(disk.path())).await;
    let mut kept = Kept::default();
    for round in 0..rounds {
        let mut running = site.start();
        let served = Site::served(&running);
        kept.check(&site, &served).await;
        let load = Load::begin(&served, &site.key).await;
        load.until_made(2).await;
        disk.fill();
        load.admins.until_refused().await;
        load.until_unwritable().await;
        let mends = round % 2 == 0;
        if mends {
            disk.clear();
            load.until_made(3).await;
            load.until_spooled(1).await;
        }
        kill(&mut running, load, &mut kept, &site).await;
        if !mends {
            disk.clear();
        }
    }
    conclude(&site, kept).await;
}
