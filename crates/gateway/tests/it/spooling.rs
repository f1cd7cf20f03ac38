use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use gatewarden_gateway::{Batch, UsageRecord, spool::spooled};
use gatewarden_types::{Id, Request};
use tempfile::tempdir;
use tokio::time::{sleep, timeout};

use crate::world::{World, question};

/// How long something may take that happens as soon as it can.
const PATIENCE: Duration = Duration::from_secs(30);

async fn until(mut reached: impl FnMut() -> bool) {
    let reaching = async {
        while !reached() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, reaching).await.expect("it happens");
}

/// A world whose usage waits in this folder.
async fn on(folder: &Path) -> World {
    World::with(|config| config.spool.folder = folder.join("usage")).await
}

/// Makes calls and says which.
async fn calls(world: &World, count: usize) -> BTreeSet<Id<Request>> {
    let mut made = BTreeSet::new();
    for _ in 0..count {
        let answer = world.chat(&world.secret, &question("fast", false)).await;
        made.insert(answer.headers()["x-request-id"].to_str().expect("text").parse().expect("an id"));
        answer.bytes().await.expect("answers whole");
    }
    made
}

fn requests(records: &[UsageRecord]) -> BTreeSet<Id<Request>> {
    let requests: BTreeSet<_> = records.iter().map(|record| record.request).collect();
    assert_eq!(requests.len(), records.len(), "each once");
    requests
}

async fn next(world: &mut World) -> Batch {
    timeout(PATIENCE, world.usage.recv()).await.expect("in time").expect("the gateway records")
}

#[tokio::test]
async fn what_nobody_acknowledged_lies_on_the_disk_and_comes_again_after_a_restart() {
    let folder = tempdir().expect("a folder");
    let mut world = on(folder.path()).await;
    let made = calls(&world, 3).await;
    drop(next(&mut world).await);
    until(|| world.gateway.status().usage.kept == 3).await;
    assert_eq!(requests(&spooled(&folder.path().join("usage")).expect("reads")), made);
    drop(world.usage);
    world.gateway.shutdown().await;
    let mut again = on(folder.path()).await;
    assert_eq!(requests(again.used(3).await), made);
    until(|| again.gateway.status().usage.waiting == 0).await;
    assert_eq!(requests(&again.all_usage().await), made, "and no more");
    let left = fs::read_dir(folder.path().join("usage")).expect("reads").map(|file| file.expect("reads").file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["lock"], "what was acknowledged leaves no file");
}

#[tokio::test]
async fn a_torn_end_is_left_out_and_what_a_newer_version_wrote_stays() {
    let folder = tempdir().expect("a folder");
    let usage = folder.path().join("usage");
    let world = on(folder.path()).await;
    let made = calls(&world, 2).await;
    until(|| world.gateway.status().usage.kept == 2).await;
    drop(world.usage);
    world.gateway.shutdown().await;
    let file = fs::read_dir(&usage).expect("reads").map(|file| file.expect("reads").path());
    let file = file.into_iter().find(|file| file.extension().is_some()).expect("a file");
    let whole = fs::read(&file).expect("reads");
    fs::write(&file, [&whole[..], &whole[..20]].concat()).expect("writes");
    let newer = frame(&[3, 0]);
    let kept = usage.join("00000000000000000007.usage");
    fs::write(&kept, &newer).expect("writes");
    let mut again = on(folder.path()).await;
    assert_eq!(requests(again.used(2).await), made);
    let more = calls(&again, 1).await;
    let all: BTreeSet<_> = made.union(&more).copied().collect();
    assert_eq!(requests(&again.all_usage().await), all);
    assert_eq!(fs::read(kept).expect("it is there"), newer);
}

/// A frame as the spool writes it, with an own CRC-32 (IEEE 802.3, reflected).
fn frame(batch: &[u8]) -> Vec<u8> {
    let length = u32::try_from(batch.len()).expect("short").to_le_bytes();
    let crc = [&length[..], batch].concat().iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    [&length[..], &(!crc).to_le_bytes(), batch].concat()
}

#[tokio::test]
async fn an_organization_whose_usage_cannot_be_kept_comes_again_and_is_asked_for_by_itself() {
    let mut world = World::new().await;
    calls(&world, 1).await;
    let batch = next(&mut world).await;
    let (organization, first) = (world.records.organization.id, requests(&batch.records));
    batch.kept_except([organization].into());
    let batch = next(&mut world).await;
    assert_eq!(requests(&batch.records), first);
    batch.kept();
    until(|| world.gateway.status().usage.waiting == 0).await;
}

#[tokio::test]
async fn while_the_disk_takes_nothing_usage_waits_in_memory_and_calls_go_on() {
    let folder = tempdir().expect("a folder");
    let mut world = on(folder.path()).await;
    let (usage, away) = (folder.path().join("usage"), folder.path().join("away"));
    fs::rename(&usage, &away).expect("renames");
    let made = calls(&world, 2).await;
    until(|| world.gateway.status().usage.unwritable).await;
    let ready = world.get(&world.secret, "/readyz").await;
    assert_eq!(ready.status(), 200);
    let ready = ready.text().await.expect("text");
    assert!(ready.contains("degraded") && ready.contains("\"usage_unwritable\":true"), "{ready}");
    fs::rename(&away, &usage).expect("renames");
    assert_eq!(requests(world.used(2).await), made);
    until(|| !world.gateway.status().usage.unwritable).await;
    let status = world.gateway.status().usage;
    assert_eq!((status.kept, status.dropped), (2, 0));
}
