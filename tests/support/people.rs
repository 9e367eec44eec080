//! The seeded people, signed in.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

use super::http;

/// The password of every seeded account.
pub const PASSWORD: &str = "Pass123!";

/// The password of who signs up here.
pub const NEW_PASSWORD: &str = "une phrase assez longue";

/// Someone who signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: i64,
    pub email: String,
    pub token: String,
    pub refresh: String,
}

/// `client1` is 1, `juriste1` is 6, `admin` is 11.
pub fn email(who: &str) -> String {
    format!("{who}@example.com")
}

/// Signs a seeded person in.
pub async fn sign_in(to: SocketAddr, who: &str) -> Person {
    sign_in_from(to, who, None).await
}

/// Signs a seeded person in from a chosen loopback address.
pub async fn sign_in_from(to: SocketAddr, who: &str, from: Option<IpAddr>) -> Person {
    let email = email(who);
    let mut ask = http::post(to, "/auth/sign-in", &json!({ "email": email, "password": PASSWORD }));
    if let Some(from) = from {
        ask = ask.from(from);
    }
    person(&ask.send().await.expect(200).json())
}

/// The person in the answer of sign-in or sign-up.
pub fn person(answer: &Value) -> Person {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    Person {
        id: answer["user"]["id"].as_i64().expect("an id"),
        email: text(&answer["user"]["email"]),
        token: text(&answer["accessToken"]),
        refresh: text(&answer["refreshToken"]),
    }
}

/// The conversation between two people, made if there is none.
pub async fn conversation(to: SocketAddr, one: &Person, other: &Person) -> i64 {
    let reply = http::post(to, "/conversations", &json!({ "participantId": other.id })).token(&one.token).send().await;
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
    reply.json()["id"].as_i64().expect("an id")
}

/// Someone new, with the role `client`.
pub async fn sign_up(to: SocketAddr, number: usize, from: IpAddr) -> Person {
    let body = json!({
        "name": format!("Personne {number}"),
        "email": format!("personne{number}@example.org"),
        "password": NEW_PASSWORD,
    });
    person(&http::post(to, "/auth/sign-up", &body).from(from).send().await.expect(201).json())
}

/// The n-th address of the loopback network, so that a crowd does not come from one place.
pub fn loopback(n: usize) -> IpAddr {
    let [_, _, high, low] = u32::try_from(n % 60_000 + 2).expect("small").to_be_bytes();
    IpAddr::from([127, 0, high, low])
}
