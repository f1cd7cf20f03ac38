//! The others: nginx as the floor, Envoy, Portkey and LiteLLM, by the scripts that start them.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use crate::process::Gateway;

/// Where the scripts are, if not in `../shared/bench` beside the repository.
const PLACE: &str = "GATEWARDEN_BENCH_PEERS";
/// The mock upstream that everyone's calls go to.
pub const MOCK: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 19080));
/// Script, what the load program calls it, and what it is.
const OTHERS: [(&str, &str, &str); 3] = [
    ("envoy", "envoy-auth", "Envoy with key auth and a local limit"),
    ("portkey", "portkey", "Portkey's open gateway"),
    ("litellm", "litellm", "LiteLLM with a master key, no database"),
];

/// Those that run, by the names of the load program; dropping it ends those that it has started.
pub struct Peers {
    scripts: PathBuf,
    /// With nginx first.
    pub names: Vec<&'static str>,
    started: Vec<&'static str>,
}

impl Peers {
    /// Installs and starts what can be. Without the mock upstream there is nothing to measure.
    pub fn start() -> Self {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bench");
        let scripts = std::env::var_os(PLACE).map_or_else(beside, PathBuf::from);
        let mut peers = Self { scripts, names: vec!["nginx"], started: Vec::new() };
        let mock = peers.bring("mock", &["mock", "paced", "floor"]);
        let place = peers.scripts.display();
        assert!(mock.is_ok(), "no mock upstream from {place} ({PLACE} says where to look): {mock:?}");
        for (script, name, what) in OTHERS {
            match peers.bring(script, &[script]) {
                Ok(()) => peers.names.push(name),
                Err(why) => println!("left out: {what}: {why}"),
            }
        }
        peers
    }

    /// Starts what a script starts, unless it runs already.
    fn bring(&mut self, script: &str, starts: &[&'static str]) -> Result<(), String> {
        let new: Vec<_> = starts.iter().copied().filter(|name| !running(name)).collect();
        let output = self.script(&format!("start-{script}.sh"), &[]).map_err(|error| error.to_string())?;
        self.started.extend(new.into_iter().filter(|name| running(name)));
        if output.status.success() { Ok(()) } else { Err(last_line(&output)) }
    }

    fn script(&self, name: &str, arguments: &[&str]) -> std::io::Result<Output> {
        Command::new("bash").arg(self.scripts.join(name)).args(arguments).stdin(Stdio::null()).output()
    }

    /// Puts load on each of `names` by turns, `rounds` times for `seconds` at each number of connections, and gives the
    /// lines that the load program prints.
    pub fn by_turns(&self, names: &[String], connections: &str, rounds: u32, seconds: u32) -> String {
        let mut command = Command::new("python3");
        command.arg(self.scripts.join("bench.py")).args(names).args(["--conns", connections]);
        command.args(["--rounds", &rounds.to_string(), "--secs", &seconds.to_string()]);
        let output = command.stdin(Stdio::null()).output().expect("python3");
        assert!(output.status.success(), "the load program: {}", last_line(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Puts load on the gateway alone, and gives how many calls it answered.
    pub fn load(&self, gateway: &Gateway, connections: u32, time: Duration) -> u64 {
        let mut command = Command::new("wrk");
        command.args(["-t1", &format!("-c{connections}"), &format!("-d{}s", time.as_secs())]).arg("-s");
        command.arg(self.scripts.join("post.lua")).arg(url(gateway)).env("BEARER", &gateway.key);
        let output = command.stdin(Stdio::null()).output().expect("wrk");
        let printed = String::from_utf8_lossy(&output.stdout);
        let figures = printed.lines().find_map(|line| line.strip_prefix("JSON ")).expect("wrk's figures");
        let figures: serde_json::Value = serde_json::from_str(figures).expect("wrk's figures");
        let figure = |name: &str| figures.get(name).and_then(serde_json::Value::as_u64);
        assert_eq!(figure("e_status"), Some(0), "every call is answered with 200");
        figure("requests").expect("a number of calls")
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        if !self.started.is_empty()
            && let Err(error) = self.script("stop.sh", &self.started)
        {
            eprintln!("could not end {}: {error}", self.started.join(", "));
        }
    }
}

/// Where the gateway is called.
pub fn url(gateway: &Gateway) -> String {
    format!("http://{}/v1/chat/completions", gateway.addr)
}

/// Whether something that the scripts have started under this name is still there.
fn running(name: &str) -> bool {
    let home = std::env::var_os("PEERS").map(PathBuf::from);
    let cache = || std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let user = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let Some(home) = home.or_else(|| cache().or_else(user).map(|cache| cache.join("gateway-peers"))) else {
        return false;
    };
    let pid = std::fs::read_to_string(home.join(format!("run/{name}.pid")));
    pid.is_ok_and(|pid| Path::new("/proc").join(pid.trim()).is_dir())
}

fn last_line(output: &Output) -> String {
    let printed = [&output.stdout[..], &output.stderr[..]].concat();
    let printed = String::from_utf8_lossy(&printed);
    printed.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing").trim().to_owned()
}
