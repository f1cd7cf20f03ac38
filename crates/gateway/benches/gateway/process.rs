//! The gateway's process: starting it, looking at its memory, ending it.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{caller, median, policy, report, upstream::Upstreams};

/// Starts of the process whose first answer is waited for.
const STARTS: usize = 7;
const FIRST_ANSWER: Duration = Duration::from_millis(200);

/// A running gateway; dropping it ends it.
pub struct Gateway {
    child: Child,
    /// Where it listens.
    pub addr: SocketAddr,
    /// The text of a key that may call every model.
    pub key: String,
    /// How many keys it knows.
    pub keys: usize,
}

impl Gateway {
    /// Starts one with so many keys and waits until it answers.
    pub fn start(keys: usize, upstreams: &Upstreams) -> Self {
        let this = std::env::current_exe().expect("this program has a file");
        let mut command = Command::new(this);
        command.args(["alone", &keys.to_string()]).args(upstreams.providers());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts again");
        let mut line = String::new();
        let printed = child.stdout.take().expect("it prints");
        BufReader::new(printed).read_line(&mut line).expect("it prints a line");
        let mut words = line.split_whitespace();
        let mut word = || words.next().expect("address, key and number of keys").to_owned();
        let (addr, key, keys) = (word(), word(), word());
        Self { child, addr: addr.parse().expect("an address"), key, keys: keys.parse().expect("a number") }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What of its memory is resident, in MiB.
    pub fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1024.0
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        ended.expect("a child can be ended");
    }
}

/// From starting the process to its first answer to a call.
pub fn first_answer(upstreams: &Upstreams) {
    let took: Vec<f64> = (0..STARTS)
        .map(|_| {
            let start = Instant::now();
            let gateway = Gateway::start(1, upstreams);
            let mut caller = caller::Caller::connect(gateway.addr, &gateway.key);
            assert_eq!(caller.call(policy::MODEL), 200, "the first call is answered");
            start.elapsed().as_secs_f64()
        })
        .collect();
    let (median, target) = (median(&took), FIRST_ANSWER.as_secs_f64());
    let figure = format!("{:.0} ms", median * 1e3);
    report("first answer after the process was started", &figure, "≤ 200 ms", median <= target);
}
