//! What is measured: each function starts a server of its own, puts one kind of load on it and returns the metrics.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::Client;
use crate::drive::{Circle, Load, Pace, drive};
use crate::http::Http;
use crate::metrics::{Metrics, quantile};
use crate::people::{Pair, Person, open_pair};
use crate::target::{Kind, Recipe, Site, sync_times};

/// At most so many sockets of one person, by contract §4.
const SOCKETS_PER_PERSON: usize = 50;
/// At most so many sockets are being opened at once, where nothing else is asked.
const OPENING_MAX: usize = 64;

/// Pairs of a client and a jurist: the client writes, both read. With `Pace::Every`, the period is that of one pair.
pub(crate) async fn relay(recipe: &Recipe, pairs: usize, load: Load) -> io::Result<Metrics> {
    let site = Site::new(recipe)?;
    let pairs = site.people(pairs).await?;
    let mut target = site.start()?;
    eprintln!("relay: pid {}", target.pid());
    let mut circles = Vec::new();
    for pair in &pairs {
        let sender = joined(target.address, &pair.client, pair.conversation).await?;
        let receivers = vec![joined(target.address, &pair.jurist, pair.conversation).await?];
        circles.push(Circle { conversation: pair.conversation, sender, receivers });
    }
    let mut metrics = drive(&target, circles, load).await?;
    if let Pace::Every(_) = load.pace {
        let times = sync_times(site.directory())?;
        metrics.push("one sync of this disk p50", quantile(&times, 0.5).as_secs_f64() * 1e3, "ms");
        metrics.push("one sync of this disk p99", quantile(&times, 0.99).as_secs_f64() * 1e3, "ms");
    }
    metrics.push("resident at the end", target.resident()? as f64 / 1e6, "MB");
    target.stop()?;
    Ok(metrics)
}

/// What a message of the relay costs where mail and pushes are set up, beside one where nothing is: two servers in turn, each
/// with a database of its own. Nobody has a device or has confirmed an address, so nothing leaves: it is about what every
/// message pays.
pub(crate) async fn notices(recipe: &Recipe, pairs: usize, rounds: usize, load: Load) -> io::Result<Metrics> {
    let mut with = recipe.clone();
    with.variables.extend([
        ("LEXCHAT_SMTP", "smtp://127.0.0.1:9"),
        ("LEXCHAT_MAIL_FROM", "avis@cabinet.example"),
        ("LEXCHAT_PUSH_CONTACT", "avis@cabinet.example"),
    ]);
    let (mut sites, mut costs) = (Vec::new(), [Vec::new(), Vec::new()]);
    for recipe in [recipe, &with] {
        let site = Site::new(recipe)?;
        let people = site.people(pairs).await?;
        sites.push((site, people));
    }
    for round in 0..rounds {
        // Whoever comes second in one round comes first in the next.
        for number in [round % 2, (round + 1) % 2] {
            let (site, people) = &sites[number];
            let mut target = site.start()?;
            let mut circles = Vec::new();
            for pair in people {
                let sender = joined(target.address, &pair.client, pair.conversation).await?;
                let receivers = vec![joined(target.address, &pair.jurist, pair.conversation).await?];
                circles.push(Circle { conversation: pair.conversation, sender, receivers });
            }
            costs[number].push(drive(&target, circles, load).await?.0[0].value);
            target.stop()?;
        }
        eprintln!("round {}: {:.2} µs without, {:.2} µs with", round + 1, costs[0][round], costs[1][round]);
    }
    let mut more: Vec<f64> = costs[1].iter().zip(&costs[0]).map(|(with, without)| with - without).collect();
    for values in costs.iter_mut().chain([&mut more]) {
        values.sort_by(f64::total_cmp);
    }
    let mut metrics = Metrics::default();
    metrics.push("server CPU per message without, median", costs[0][rounds / 2], "µs");
    metrics.push("server CPU per message with, median", costs[1][rounds / 2], "µs");
    for (name, place) in [("least", 0), ("lower quartile", rounds / 4), ("median", rounds / 2)]
        .into_iter()
        .chain([("upper quartile", rounds * 3 / 4), ("most", rounds - 1)])
    {
        metrics.push(format!("more with, by round: {name}"), more[place], "µs");
    }
    Ok(metrics)
}

/// A jurist writes to a client with one socket, then to the same client with `sockets`.
pub(crate) async fn fan_out(recipe: &Recipe, sockets: usize, load: Load) -> io::Result<Metrics> {
    let mut metrics = Metrics::default();
    let mut costs = Vec::new();
    for sockets in [1, sockets] {
        let site = Site::new(recipe)?;
        let pair = site.people(1).await?.remove(0);
        let mut target = site.start()?;
        eprintln!("fan-out to {sockets}: pid {}", target.pid());
        let sender = joined(target.address, &pair.jurist, pair.conversation).await?;
        let mut receivers = Vec::new();
        for _ in 0..sockets {
            receivers.push(joined(target.address, &pair.client, pair.conversation).await?);
        }
        let circle = Circle { conversation: pair.conversation, sender, receivers };
        let measured = drive(&target, vec![circle], load).await?;
        costs.push((sockets, measured.0[0].value));
        for figure in measured.0.into_iter().filter(|figure| figure.name.starts_with(['s', 'a'])) {
            metrics.push(format!("{}, {sockets} sockets", figure.name), figure.value, figure.unit);
        }
        target.stop()?;
    }
    let [(few, few_cost), (many, many_cost)] = [costs[0], costs[1]];
    metrics.push("server CPU per further delivery", (many_cost - few_cost) / (many - few) as f64, "µs");
    Ok(metrics)
}

/// Memory per quiet socket, over WebSocket or long-polling.
pub(crate) async fn idle(recipe: &Recipe, sockets: usize, polling: bool) -> io::Result<Metrics> {
    let site = Site::new(recipe)?;
    let pairs = site.people(sockets.div_ceil(2 * SOCKETS_PER_PERSON)).await?;
    let mut target = site.start()?;
    let before = target.settled_resident().await?;
    let mut opened = JoinSet::new();
    let address = target.address;
    for (number, person) in crowd(&pairs, sockets).enumerate() {
        if polling {
            let poller = Poller::open(address, &person).await?;
            opened.spawn(poller.idle());
        } else {
            opened.spawn(Client::connect(address, &person).await?.idle());
        }
        if number % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let after = target.settled_resident().await?;
    let cpu = target.cpu()?;
    sleep(Duration::from_secs(25)).await;
    let per_ping = (target.cpu()? - cpu).as_secs_f64() * 1e6 / sockets as f64;
    if let Some(ended) = opened.try_join_next() {
        return Err(io::Error::other(format!("a quiet socket ended: {ended:?}")));
    }
    let mut metrics = Metrics::default();
    metrics.push("sockets", sockets as f64, "");
    metrics.push("resident before", before as f64 / 1e6, "MB");
    metrics.push("resident with all", after as f64 / 1e6, "MB");
    metrics.push("memory per socket", (after.saturating_sub(before)) as f64 / sockets as f64 / 1024.0, "KiB");
    metrics.push("server CPU per socket and heartbeat (25 s)", per_ping, "µs");
    target.stop()?;
    Ok(metrics)
}

/// Processor time of one connection: TCP, upgrade, token, namespace, and its end.
pub(crate) async fn handshake(recipe: &Recipe, count: usize) -> io::Result<Metrics> {
    let site = Site::new(recipe)?;
    let pairs = site.people(5).await?;
    let mut target = site.start()?;
    eprintln!("handshake: pid {}", target.pid());
    let people: Vec<Person> = pairs.iter().flat_map(|pair| [pair.client.clone(), pair.jurist.clone()]).collect();
    // They stay online by another socket: that somebody comes or goes is told and noted, which is another matter.
    let others = connect_all(target.address, &people, 1).await?;
    sleep(Duration::from_millis(200)).await;
    let (cpu, mut times) = (target.cpu()?, Vec::new());
    for number in 0..count {
        let begun = Instant::now();
        Client::connect(target.address, &people[number % people.len()]).await?;
        times.push(begun.elapsed());
    }
    sleep(Duration::from_millis(300)).await;
    let cost = (target.cpu()? - cpu).as_secs_f64() * 1e6 / count as f64;
    let mut metrics = Metrics::default();
    metrics.push("server CPU per handshake", cost, "µs");
    metrics.push_times("handshake, one at a time", &mut times);
    drop(others);
    target.stop()?;
    Ok(metrics)
}

/// All sockets are cut at once and come back at once.
pub(crate) async fn storm(recipe: &Recipe, sockets: usize) -> io::Result<Metrics> {
    let site = Site::new(recipe)?;
    let pairs = site.people(sockets.div_ceil(2 * SOCKETS_PER_PERSON)).await?;
    let mut target = site.start()?;
    let people: Vec<Person> = crowd(&pairs, sockets).collect();
    let first = connect_all(target.address, &people, OPENING_MAX).await?;
    sleep(Duration::from_secs(1)).await;
    drop(first);
    let (begun, cpu) = (Instant::now(), target.cpu()?);
    let second = connect_all(target.address, &people, sockets).await?;
    let elapsed = begun.elapsed();
    let mut metrics = Metrics::default();
    metrics.push("all reconnected and signed in after", elapsed.as_secs_f64() * 1e3, "ms");
    metrics.push("server CPU per reconnection", (target.cpu()? - cpu).as_secs_f64() * 1e6 / sockets as f64, "µs");
    drop(second);
    target.stop()?;
    Ok(metrics)
}

/// From the start of the process to its first answer; memory at rest after two have signed in; the size of what is started.
pub(crate) async fn start(recipe: &Recipe) -> io::Result<Metrics> {
    let (mut empty, mut existing, mut resident) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..7 {
        let site = Site::new(recipe)?;
        let mut target = site.start()?;
        empty.push(target.started_in);
        target.stop()?;
        let mut target = site.start()?;
        existing.push(target.started_in);
        // What their passwords take must not stay.
        open_pair(target.address, 0).await?;
        sleep(Duration::from_millis(500)).await;
        resident.push(target.resident()?);
        target.stop()?;
    }
    let mut metrics = Metrics::default();
    metrics.push_times("first answer, existing database", &mut existing);
    metrics.push_times("first answer, database to be made", &mut empty);
    resident.sort_unstable();
    metrics.push("resident when idle", resident[resident.len() / 2] as f64 / 1e6, "MB");
    if let Kind::Lexchat(binary) = &recipe.kind {
        metrics.push("binary", binary.metadata()?.len() as f64 / 1e6, "MB");
    }
    Ok(metrics)
}

/// `sockets` places, filled person by person, each with as many as one may have.
fn crowd(pairs: &[Pair], sockets: usize) -> impl Iterator<Item = Person> {
    let people: Vec<Person> = pairs.iter().flat_map(|pair| [pair.client.clone(), pair.jurist.clone()]).collect();
    (0..sockets).map(move |number| people[number % people.len()].clone())
}

async fn joined(server: SocketAddr, person: &Person, conversation: i64) -> io::Result<Client> {
    let mut client = Client::connect(server, person).await?;
    client.ask("conversation:join", &format!("{{\"conversationId\":{conversation}}}")).await?;
    Ok(client)
}

async fn connect_all(server: SocketAddr, people: &[Person], at_once: usize) -> io::Result<Vec<Client>> {
    let (mut opening, mut opened) = (JoinSet::new(), Vec::with_capacity(people.len()));
    for person in people {
        if opening.len() >= at_once
            && let Some(client) = opening.join_next().await
        {
            opened.push(client.map_err(io::Error::other)??);
        }
        let person = person.clone();
        opening.spawn(async move { Client::connect(server, &person).await });
    }
    while let Some(client) = opening.join_next().await {
        opened.push(client.map_err(io::Error::other)??);
    }
    Ok(opened)
}

/// One Socket.IO client over long-polling, on one connection.
struct Poller {
    http: Http,
    target: String,
}

impl Poller {
    async fn open(server: SocketAddr, person: &Person) -> io::Result<Poller> {
        let mut http = Http::connect(server, person.source).await?;
        let target = "/socket.io/?EIO=4&transport=polling";
        let (_, opening) = http.request("GET", target, "", "").await?;
        let sid = opening.split('"').nth(3).ok_or_else(|| io::Error::other(opening.clone()))?;
        let target = format!("{target}&sid={sid}");
        http.request("POST", &target, "", &format!("40/chat,{{\"token\":\"{}\"}}", person.token)).await?;
        let (_, connected) = http.request("GET", &target, "", "").await?;
        if !connected.starts_with("40/chat,") {
            return Err(io::Error::other(connected));
        }
        http.send("GET", &target, "", "").await?;
        Ok(Poller { http, target })
    }

    async fn idle(mut self) -> io::Result<()> {
        loop {
            let (status, packets) = self.http.answer().await?;
            if status != 200 {
                return Err(io::Error::other(packets));
            }
            if packets.split('\x1e').any(|packet| packet == "2") {
                self.http.request("POST", &self.target, "", "3").await?;
            }
            self.http.send("GET", &self.target, "", "").await?;
        }
    }
}

/// A load for `relay` and `fan_out`: closed loop, 120-byte messages.
pub(crate) fn closed_loop(in_flight: usize, window: Duration, windows: usize) -> Load {
    Load { pace: Pace::InFlight(in_flight), message_bytes: 120, warm_up: Duration::from_secs(1), window, windows }
}

/// A load for `relay`: `rate` messages per second over all `pairs`.
pub(crate) fn fixed_rate(rate: f64, pairs: usize, window: Duration) -> Load {
    let period = Duration::from_secs_f64(pairs as f64 / rate);
    Load { pace: Pace::Every(period), message_bytes: 120, warm_up: Duration::from_secs(1), window, windows: 1 }
}

/// Named measurements, as the command line knows them.
pub(crate) async fn run(name: &str, recipe: &Recipe, window: Duration, sockets: Option<usize>) -> io::Result<Metrics> {
    const PAIRS: usize = 25;
    match name {
        "relay" => relay(recipe, PAIRS, closed_loop(8, window, 3)).await,
        "rate" => relay(recipe, PAIRS, fixed_rate(500.0, PAIRS, window)).await,
        "fan-out" => fan_out(recipe, sockets.unwrap_or(SOCKETS_PER_PERSON), closed_loop(8, window, 1)).await,
        "idle" => idle(recipe, sockets.unwrap_or(10_000), false).await,
        "polling" => idle(recipe, sockets.unwrap_or(10_000), true).await,
        "handshake" => handshake(recipe, sockets.unwrap_or(2_000)).await,
        "storm" => storm(recipe, sockets.unwrap_or(2_000)).await,
        "start" => start(recipe).await,
        "notices" => notices(recipe, PAIRS, 20, closed_loop(8, window, 1)).await,
        other => Err(io::Error::other(format!("there is no measurement called {other}"))),
    }
}
