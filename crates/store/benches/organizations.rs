//! How long it takes to create an organization when there are up to a thousand: on each back end, one after another.
#![expect(clippy::expect_used, reason = "a benchmark that cannot go on says so and stops")]

mod measure;

use std::time::Instant;

use gatewarden_control::organizations::{self, CreateOrganization};
use gatewarden_testkit::{Someone, World};
use measure::{Figures, conditions, ms, row, verdict};

const ORGANIZATIONS: usize = 1_000;
/// So many at the beginning are compared with as many at the end.
const EDGE: usize = 20;
/// In milliseconds each, by back end.
const TARGETS: [(&str, f64); 2] = [("SQLite", 10.0), ("PostgreSQL", 100.0)];

fn main() -> std::io::Result<()> {
    conditions();
    tokio::runtime::Runtime::new()?.block_on(async {
        let columns = ["mean", "median", "p99", "first 20", "last 20", "target", ""];
        row(&format!("{ORGANIZATIONS} organizations"), &columns.map(str::to_owned));
        for (backend, world) in measure::worlds().await {
            report(backend, &create(&world).await);
        }
    });
    Ok(())
}

/// Milliseconds of each creation, in their order.
async fn create(world: &World) -> Vec<f64> {
    let founder = world.account("Flora Founder").await;
    // What only the first one pays for: connections and their prepared statements.
    create_one(world, &founder, "warm-up").await;
    let mut took = Vec::new();
    for n in 0..ORGANIZATIONS {
        let start = Instant::now();
        create_one(world, &founder, &format!("made-{n}")).await;
        took.push(start.elapsed().as_secs_f64() * 1e3);
    }
    took
}

async fn create_one(world: &World, founder: &Someone, slug: &str) {
    let command = CreateOrganization {
        name: slug.parse().expect("a name"),
        slug: slug.parse().expect("a slug"),
        founder: founder.person.clone(),
    };
    let created = organizations::create(world.app(), &founder.caller(), command).await;
    created.expect("an account founds organizations");
}

fn report(backend: &str, took: &[f64]) {
    let mut figures = Figures::default();
    for took in took {
        figures.add(std::time::Duration::from_secs_f64(took / 1e3));
    }
    let target = TARGETS.iter().find(|(name, _)| *name == backend).map_or(0.0, |(_, target)| *target);
    let (first, last) = (took.get(..EDGE).unwrap_or(took), took.get(took.len().saturating_sub(EDGE)..).unwrap_or(took));
    let mean = mean(took);
    let cells = [mean, figures.median(), figures.p99(), self::mean(first), self::mean(last), target].map(ms);
    let [mean_cell, median, p99, first, last, target_cell] = cells;
    row(backend, &[mean_cell, median, p99, first, last, format!("≤ {target_cell}"), verdict(mean <= target)]);
}

fn mean(took: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "there are a thousand")]
    let count = took.len().max(1) as f64;
    took.iter().sum::<f64>() / count
}
