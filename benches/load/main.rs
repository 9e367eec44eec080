//! The load generator: starts a server, puts load on it over loopback and prints what it cost.
//!
//! ```text
//! cargo build --release && cargo run --release --example load -- relay
//! cargo run --release --example load -- relay --peer benches/peers/socketio-node/server.js
//! cargo run --release --example load -- compare
//! ```
//!
//! The server is always a process of its own, in a new directory that is removed afterwards, with its default settings but
//! for `--message-rate 0`. Processor time and memory are those of that process, read from `/proc` (Linux).

mod client;
mod drive;
mod http;
mod metrics;
mod people;
mod scenarios;
mod target;
mod text;
mod wire;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::metrics::Metrics;
use crate::target::{Kind, Recipe};

const PEER: &str = "benches/peers/socketio-node/server.js";

/// Measures lexchat, a peer, or both in turn.
#[derive(Parser)]
struct Cli {
    /// What to measure.
    measurements: Vec<Measurement>,
    /// The lexchat binary.
    #[arg(long, default_value = "target/release/lexchat")]
    lexchat: PathBuf,
    /// Measure this peer (a server.js for node, or a program such as the floor) instead of lexchat.
    #[arg(long)]
    peer: Option<PathBuf>,
    /// Seconds per measured window.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How many sockets (or handshakes), where that matters.
    #[arg(long)]
    sockets: Option<usize>,
    /// Run the server under a tool, e.g. "valgrind --tool=callgrind".
    #[arg(long, default_value = "")]
    under: String,
    /// Where to make the directories with the databases: on the disk that shall be measured.
    #[arg(long, default_value = "target")]
    dir: PathBuf,
}

/// One kind of load.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Measurement {
    /// 25 pairs, 8 messages in flight each, as fast as they are acknowledged.
    Relay,
    /// 25 pairs, 500 messages/s in all.
    Rate,
    /// One writer, one reader with 1 and with 50 sockets.
    FanOut,
    /// 10 000 quiet WebSockets.
    Idle,
    /// 10 000 quiet long-polling sessions.
    Polling,
    /// 2 000 connections one after the other.
    Handshake,
    /// 2 000 sockets cut and reconnecting at once.
    Storm,
    /// Time to the first answer, memory at rest, size.
    Start,
    /// The relay with and without ways to tell who is not looking, in turn.
    Notices,
    /// What else is named (or all of the above) on lexchat, then on the peer, with the ratios.
    Compare,
}

const ALL: [Measurement; 8] = {
    use Measurement::*;
    [Relay, Rate, FanOut, Handshake, Storm, Start, Idle, Polling]
};

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    raise_descriptor_limit();
    // One thread: the other core is for the server.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&cli))
}

async fn measure(cli: &Cli) -> io::Result<()> {
    let lexchat = Kind::Lexchat(cli.lexchat.canonicalize()?);
    if cli.measurements.contains(&Measurement::Compare) {
        let peer = Kind::Peer(cli.peer.clone().unwrap_or_else(|| PEER.into()).canonicalize()?);
        let chosen = cli.measurements.iter().filter(|measurement| **measurement != Measurement::Compare);
        let chosen: Vec<Measurement> = if cli.measurements.len() > 1 { chosen.copied().collect() } else { ALL.into() };
        for measurement in chosen {
            let ours = run(cli, measurement, &lexchat).await?;
            let theirs = run(cli, measurement, &peer).await?;
            ours.print_beside(&theirs, name(measurement).as_str());
        }
        return Ok(());
    }
    let kind = match &cli.peer {
        Some(script) => Kind::Peer(script.canonicalize()?),
        None => lexchat,
    };
    for measurement in &cli.measurements {
        run(cli, *measurement, &kind).await?.print(name(*measurement).as_str());
    }
    Ok(())
}

async fn run(cli: &Cli, measurement: Measurement, kind: &Kind) -> io::Result<Metrics> {
    let under = cli.under.split_whitespace().map(str::to_owned).collect();
    let recipe = Recipe { kind: kind.clone(), parent: cli.dir.canonicalize()?, under, variables: Vec::new() };
    let window = Duration::from_secs_f64(cli.seconds);
    scenarios::run(&name(measurement), &recipe, window, cli.sockets).await
}

fn name(measurement: Measurement) -> String {
    measurement.to_possible_value().expect("no measurement is hidden").get_name().to_owned()
}

/// Ten thousand sockets need as many descriptors; the soft limit is raised to the hard one.
fn raise_descriptor_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }
}
