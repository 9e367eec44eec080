//! The people of a measurement: pairs of a client and a jurist who share one conversation.
//!
//! Each person has an address of their own on the loopback network, as people have in life, so that limits per
//! address stay on while thousands of sockets come from one machine.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::{Value, json};

use crate::http::Http;

/// How many pairs `seed.sql` brings; further people have to be made.
pub(crate) const SEEDED_PAIRS: usize = 5;
/// The password of the seeded people.
const SEEDED_PASSWORD: &str = "Pass123!";
/// The password of the people that are made for a measurement.
pub(crate) const MADE_PASSWORD: &str = "un mot de passe de banc d'essai";

/// Who a person is before signing in.
pub(crate) struct Account {
    pub(crate) role: &'static str,
    pub(crate) email: String,
    pub(crate) password: &'static str,
    source: IpAddr,
}

/// Somebody signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) token: String,
    pub(crate) source: IpAddr,
}

/// Two people and their conversation.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) client: Person,
    pub(crate) jurist: Person,
    pub(crate) conversation: i64,
}

/// The accounts of pair `number` (from 0), client first.
pub(crate) fn accounts(number: usize) -> [Account; 2] {
    let password = if number < SEEDED_PAIRS { SEEDED_PASSWORD } else { MADE_PASSWORD };
    ["client", "juriste"].map(|role| Account {
        role,
        email: format!("{role}{}@example.com", number + 1),
        password,
        source: source(number, role == "juriste"),
    })
}

/// Signs both in and opens their conversation.
pub(crate) async fn open_pair(server: SocketAddr, number: usize) -> io::Result<Pair> {
    let [client, jurist] = accounts(number);
    let (client, jurist) = (sign_in(server, &client).await?, sign_in(server, &jurist).await?);
    let mut http = Http::connect(server, client.source).await?;
    let opened = http.post("/conversations", &client.token, json!({"participantId": jurist.id})).await?;
    Ok(Pair { conversation: integer(&opened["id"])?, client, jurist })
}

async fn sign_in(server: SocketAddr, account: &Account) -> io::Result<Person> {
    let mut http = Http::connect(server, account.source).await?;
    let answer = http.post("/auth/sign-in", "", json!({"email": account.email, "password": account.password})).await?;
    let token = answer["accessToken"].as_str().ok_or(io::ErrorKind::InvalidData)?.to_owned();
    Ok(Person { id: integer(&answer["user"]["id"])?, token, source: account.source })
}

fn integer(value: &Value) -> io::Result<i64> {
    value.as_i64().ok_or_else(|| io::Error::other(format!("an id was expected, not {value}")))
}

fn source(number: usize, is_jurist: bool) -> IpAddr {
    let [high, low] = u16::try_from(number).expect("there are at most a few thousand pairs").to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, if is_jurist { 2 } else { 1 }, high, low))
}
