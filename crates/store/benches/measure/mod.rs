//! What the benchmarks share: the worlds they run in, the figures they take, and the table they print.

use std::{
    fs,
    io::Write,
    time::{Duration, Instant},
};

use gatewarden_testkit::World;

/// Durations of one kind of work.
#[derive(Default)]
pub struct Figures(Vec<Duration>);

impl Figures {
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// What this share of them stayed within, in milliseconds.
    pub fn within(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "few")]
        let rank = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
        sorted.get(rank).copied().unwrap_or_default().as_secs_f64() * 1e3
    }

    pub fn median(&self) -> f64 {
        self.within(0.5)
    }

    pub fn p99(&self) -> f64 {
        self.within(0.99)
    }
}

/// Each back end that can be measured here, with an empty world on it. Says what it leaves out.
pub async fn worlds() -> Vec<(&'static str, World)> {
    let mut worlds = vec![("SQLite", World::sqlite().await)];
    match World::postgres().await {
        Some(world) => worlds.push(("PostgreSQL", world)),
        None => {
            println!("left out: PostgreSQL. GATEWARDEN_TEST_POSTGRES names none; `cargo xtask bench` brings one.\n");
        }
    }
    worlds
}

/// Prints what the figures depend on.
pub fn conditions() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    let fsync = fsync().map_or_else(|bad| bad.to_string(), |figures| format!("{:.2} ms", figures.median()));
    println!("{cores} cores, load {load} at the start, median fsync of 4 KiB {fsync}\n");
}

fn fsync() -> std::io::Result<Figures> {
    let folder = tempfile::tempdir()?;
    let mut file = fs::File::create(folder.path().join("fsync"))?;
    let mut figures = Figures::default();
    for _ in 0..100 {
        let start = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        figures.add(start.elapsed());
    }
    Ok(figures)
}

/// One row of a table: the first column is a name, the others are figures.
pub fn row(name: &str, figures: &[String]) {
    print!("{name:34}");
    for figure in figures {
        print!(" {figure:>14}");
    }
    println!();
}

/// A figure in milliseconds.
pub fn ms(figure: f64) -> String {
    format!("{figure:.2} ms")
}

/// Whether a target is met, in a word.
pub fn verdict(met: bool) -> String {
    if met { "met" } else { "not met" }.to_owned()
}
