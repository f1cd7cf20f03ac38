//! A program that dies while it makes an organization leaves all of it or nothing.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use gatewarden_control::organizations;
use gatewarden_testkit::{Someone, World};
use gatewarden_types::Actor;

/// Carries a future on for so many polls, and then lets go of it.
async fn cut<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut left, mut future) = (polls, pin!(future));
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

fn command(founder: &Someone, slug: &str) -> organizations::CreateOrganization {
    let (name, slug) = (slug.parse().unwrap(), slug.parse().unwrap());
    organizations::CreateOrganization { name, slug, founder: founder.person.clone() }
}

/// Makes an organization in a program that ends after so many polls; whether it was told that it is done.
fn make(world: &World, founder: &Someone, slug: &str, polls: usize) -> bool {
    tokio::task::block_in_place(|| {
        // A runtime of its own, because leaving it waits for the threads that a real end would stop.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = world.open_again().await.unwrap();
            let caller = founder.caller();
            cut(polls, Box::pin(organizations::create(&app, &caller, command(founder, slug))))
                .await
                .map(Result::unwrap)
                .is_some()
        })
    })
}

gatewarden_testkit::on_both! {
    async fn a_creation_cut_off_anywhere_is_finished_or_undone_at_the_next_start(world: World) {
        let (mut undone, mut told) = (0, 0);
        // On PostgreSQL there is more to wait for, so each step of the work has several places to be cut at.
        for polls in (1..).step_by(if world.folder().is_some() { 1 } else { 3 }) {
            let slug = format!("cut-{polls}");
            let founder = world.account(&format!("Founder {polls}")).await;
            let acknowledged = make(&world, &founder, &slug, polls);
            let roll = world.app().store.roll().await.unwrap();
            assert_eq!(roll.unlisted, [], "what is half made is not taken for lost");
            let app = world.open_again().await.expect("what was cut off is no obstacle");
            world.assert_nothing_half(&app).await;
            if app.store.place(&slug, founder.account).await.unwrap().is_some() {
                world.assert_whole(&app, founder.account, &slug).await;
            } else {
                assert!(!acknowledged, "what was acknowledged is there");
                undone += 1;
            }
            told += usize::from(acknowledged);
            if told == 3 {
                break;
            }
        }
        assert!(undone > 5, "it was cut before its first entry: {undone} times");
    }

    async fn a_creation_cut_off_after_its_first_entry_is_finished(world: World) {
        let founder = world.account("Founder").await;
        assert!(make(&world, &founder, "founded", usize::MAX));
        let whole = world.control_tables().await;
        let control = world.beneath_control().await;
        let this = "organization = (SELECT id FROM organizations WHERE slug = 'founded')";
        // As it stands between the first entry and each step of opening it.
        for lost in ["true", "subject IN (SELECT subject FROM directory ORDER BY subject DESC LIMIT 1)"] {
            control.run(&format!("DELETE FROM directory WHERE {this} AND {lost}")).await.unwrap();
            control.run("UPDATE organizations SET state = 'provisioning' WHERE slug = 'founded'").await.unwrap();
            let app = world.open_again().await.unwrap();
            world.assert_whole(&app, founder.account, "founded").await;
            assert_eq!(world.control_tables().await, whole);
        }
    }

    async fn the_slug_of_what_was_undone_is_free(world: World) {
        let founder = world.account("Founder").await;
        assert!(!make(&world, &founder, "again", 12));
        let app = world.open_again().await.unwrap();
        world.assert_nothing_half(&app).await;
        organizations::create(&app, &founder.caller(), command(&founder, "again")).await.unwrap();
        world.assert_whole(&app, founder.account, "again").await;
    }

    async fn a_creation_that_is_refused_leaves_nothing(world: World) {
        let founder = world.account("Founder").await;
        let mut anyone = founder.caller();
        anyone.actor = Actor::Anyone;
        organizations::create(world.app(), &anyone, command(&founder, "refused")).await.unwrap_err();
        world.assert_nothing_half(world.app()).await;
        organizations::create(world.app(), &founder.caller(), command(&founder, "here")).await.unwrap_err();
        world.assert_nothing_half(world.app()).await;
    }
}
