//! The gateway as a process of its own: what a host without a database runs.

use std::{
    io::{Write, stdout},
    time::{SystemTime, UNIX_EPOCH},
};

use gatewarden_gateway::{Config, FeedEvent, Gateway, Lines, SealingKeys, Witness};
use gatewarden_types::{AllowedNetworks, Clock, Timestamp};
use tokio::{runtime, sync::mpsc};

use crate::policy;

/// Serves organizations with `keys` keys in all, the models of which are run by `providers` (`NAME=BASE_URL`), until it is
/// killed. Once it answers it prints its address and the text of a key, and how many keys it knows.
pub fn run(keys: usize, providers: &[&str]) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(serve(keys, providers));
}

async fn serve(keys: usize, providers: &[&str]) {
    let models: Vec<(&str, &str)> = providers.iter().filter_map(|provider| provider.split_once('=')).collect();
    let (feed, following) = mpsc::channel(1);
    let (collecting, mut usage) = mpsc::channel(64);
    let (wishes, _wished) = mpsc::channel(1);
    let (limits, _tellings) = mpsc::unbounded_channel();
    let spool = std::env::temp_dir().join(format!("gatewarden-bench-{}", std::process::id()));
    let mut config = Config::new("127.0.0.1:0".parse().expect("an address"), spool);
    config.allow_private = AllowedNetworks(vec!["127.0.0.0/8".parse().expect("a range")]);
    let lines = Lines {
        feed: following,
        usage: collecting,
        wishes,
        limits,
        witness: Witness::new(|_, _| {}),
        sealing: SealingKeys::One(policy::root().sealing()),
        enrolled: Vec::new(),
        clock: clock(),
        steady: clock(),
        entropy: policy::entropy(),
    };
    let gateway = Gateway::start(&config, lines).expect("it starts");
    let mut first = None;
    for part in parts(keys) {
        let (base, texts) = policy::organization(part, part, &models);
        first = first.or_else(|| texts.into_iter().next());
        feed.send(base).await.expect("it follows");
    }
    feed.send(FeedEvent::CaughtUp).await.expect("it follows");
    gateway.ready().await;
    println!("{} {} {}", gateway.addr(), first.expect("there is a key"), gateway.status().keys);
    stdout().flush().expect("someone reads");
    // As whoever ships usage would, apart from the shipping.
    while let Some(batch) = usage.recv().await {
        batch.kept();
    }
}

/// As many keys as an organization has, over and over.
fn parts(mut keys: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let part = keys.min(policy::KEYS_EACH);
        keys -= part;
        Some(part).filter(|part| *part > 0)
    })
}

fn clock() -> Clock {
    Clock::new(|| {
        #[expect(clippy::disallowed_methods, reason = "as the programs do")]
        let now = SystemTime::now();
        let micros = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    })
}
