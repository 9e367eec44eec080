//! Passwords and sign-in: slow hashes, equal answers in equal time, throttled and never locked for good.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::security::stage::Stage;
use crate::support::http::{self, Reply};
use crate::support::people;

async fn attempt(to: SocketAddr, email: &str, password: &str, from: usize) -> Reply {
    let body = json!({ "email": email, "password": password });
    http::post(to, "/auth/sign-in", &body).from(people::loopback(from)).send().await
}

fn parameter(hash: &str, name: &str) -> u32 {
    let parameters = hash.split('$').nth(3).expect("a PHC string");
    let pair = parameters.split(',').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    pair.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {hash}"))
}

fn hash_of(stage: &Stage, user: i64) -> String {
    let find = "SELECT password_hash FROM users WHERE id = ?1";
    stage.database().query_row(find, [user], |row| row.get(0)).expect("a person")
}

#[tokio::test]
async fn passwords_are_hashed_with_argon2id_and_rehashed_when_the_cost_grows() {
    let mut stage = Stage::new().await;
    let hash = hash_of(&stage, 1);
    assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
    assert!(parameter(&hash, "m") >= 19 * 1024 && parameter(&hash, "t") >= 2, "{hash}");
    // The same password as an older, weaker setting would have stored it.
    let weak = "$argon2id$v=19$m=1024,t=1,p=1$c2VsIHBvdXIgdGVzdGVy$WEAK";
    let weak = weak.replace("WEAK", &weak_hash("sel pour tester"));
    stage.server.kill();
    let set = "UPDATE users SET password_hash = ?1 WHERE id = 1";
    stage.database().execute(set, [&weak]).expect("a person");
    stage.server.restart().await;
    people::sign_in(stage.address(), "client1").await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while parameter(&hash_of(&stage, 1), "m") < 19 * 1024 {
        assert!(Instant::now() < deadline, "still weak: {}", hash_of(&stage, 1));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    people::sign_in(stage.address(), "client1").await;
}

/// The seeded password under argon2id with 1 MiB and one pass, in the PHC string's base64.
fn weak_hash(salt: &str) -> String {
    let parameters = argon2::Params::new(1024, 1, 1, Some(32)).expect("valid");
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, parameters);
    let mut bytes = [0; 32];
    hasher.hash_password_into(people::PASSWORD.as_bytes(), salt.as_bytes(), &mut bytes).expect("valid");
    crate::security::tokens::encode(&bytes).replace('-', "+").replace('_', "/")
}

#[tokio::test]
async fn unknown_wrong_and_disabled_get_the_same_answer_in_the_same_time() {
    let stage = Stage::new().await;
    let admin = people::sign_in(stage.address(), "admin").await;
    for id in [2, 3, 4] {
        let path = format!("/admin/users/{id}");
        let off = http::ask(stage.address(), "PATCH", &path).token(&admin.token).json(&json!({ "isActive": false }));
        off.send().await.expect(200);
    }
    let mut answers = Vec::new();
    // What a machine does beside only ever adds time: the least of many is what the work itself takes.
    let mut least = [Duration::MAX; 3];
    for round in 0..60 {
        let number = round % 3;
        let cases = [
            (format!("nobody{round}@example.com"), "faux mot de passe"),
            (people::email(&format!("juriste{}", number + 1)), "faux mot de passe"),
            (people::email(&format!("client{}", number + 2)), people::PASSWORD),
        ];
        for (case, (email, password)) in cases.iter().enumerate() {
            let began = Instant::now();
            let reply = attempt(stage.address(), email, password, round * 3 + case).await.expect(401);
            least[case] = least[case].min(began.elapsed());
            answers.push(reply.body);
        }
        if round % 12 == 11 {
            if are_alike(&least) {
                break;
            }
            stage.database().execute("DELETE FROM sign_in_throttles", ()).expect("more attempts are free");
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "one answer for all");
    println!("unknown {:?}, wrong {:?}, disabled {:?}", least[0], least[1], least[2]);
    assert!(are_alike(&least), "{least:?}");
}

fn are_alike(times: &[Duration; 3]) -> bool {
    let (shortest, longest) = (times.iter().min().expect("three"), times.iter().max().expect("three"));
    *longest < *shortest * 3 / 2 + Duration::from_millis(3)
}

#[tokio::test]
async fn guessing_is_slowed_per_account_also_across_a_restart_and_never_for_ever() {
    let mut stage = Stage::new().await;
    let email = people::email("client1");
    for n in 0..5 {
        assert_eq!(attempt(stage.address(), &email, "faux mot de passe", n).await.status, 401, "attempt {n} is free");
    }
    // Five more failures, each after its pause, which is not waited for.
    let over = "UPDATE sign_in_throttles SET blocked_until_at = 1000 * unixepoch() - 1000 WHERE kind = 'account'";
    for n in 5..10 {
        let began = Instant::now();
        let soon = attempt(stage.address(), &email, "faux mot de passe", n).await.status;
        // The first pause is one second, which a machine that is busy with something else can sleep through.
        assert!(soon == 429 || began.elapsed() > Duration::from_millis(900), "attempt {n} came too soon: {soon}");
        stage.database().execute(over, ()).expect("time passes");
        assert_eq!(attempt(stage.address(), &email, "faux mot de passe", n).await.status, 401);
    }
    let slowed = attempt(stage.address(), &email, "faux mot de passe", 20).await.expect(429);
    let pause: u64 = slowed.header("Retry-After").and_then(|value| value.parse().ok()).expect("seconds");
    assert!((10..=900).contains(&pause), "a pause of {pause} s");
    assert_eq!(slowed.json()["code"], "RATE_LIMITED");
    assert_eq!(
        attempt(stage.address(), &people::email("client2"), people::PASSWORD, 21).await.status,
        200,
        "others go on"
    );
    let right = attempt(stage.address(), &email, people::PASSWORD, 22).await.status;
    assert_eq!(right, 429, "a guesser is not told when it was right");
    stage.server.restart().await;
    assert_eq!(
        attempt(stage.address(), &email, "faux mot de passe", 23).await.status,
        429,
        "a restart forgives nothing"
    );
    stage.database().execute(over, ()).expect("time passes");
    assert_eq!(attempt(stage.address(), &email, people::PASSWORD, 24).await.status, 200, "and then the owner is in");
}

#[tokio::test]
async fn sign_in_is_slowed_per_address() {
    let stage = Stage::new().await;
    let began = Instant::now();
    let (mut let_in, mut refused) = (0, 0);
    // One every two seconds is allowed again meanwhile, however long this machine takes for the thirty.
    while refused < 8 {
        let reply = attempt(stage.address(), &format!("nobody{let_in}@example.com"), "faux mot de passe", 7).await;
        if reply.status == 429 {
            refused += 1
        } else {
            let_in += 1
        }
        assert!(let_in <= 32 + began.elapsed().as_secs() / 2, "30 a minute: {let_in} let in, {refused} refused");
    }
    assert!(let_in >= 30, "30 a minute: {let_in} let in");
    assert_eq!(attempt(stage.address(), &people::email("client1"), people::PASSWORD, 8).await.status, 200);
}

#[tokio::test]
async fn an_account_is_found_by_every_spelling_of_its_address_and_its_password() {
    let stage = Stage::new().await;
    let (composed, apart) = ("crème brûlée été", "cre\u{300}me bru\u{302}le\u{301}e e\u{301}te\u{301}");
    let sign_up = |name: &str, email: &str, password: &str, from| {
        let body = json!({ "name": name, "email": email, "password": password });
        http::post(stage.address(), "/auth/sign-up", &body).from(people::loopback(from)).send()
    };
    let opened = sign_up("Zoé", "zoé@société.example", composed, 0).await.expect(201).json();
    let spellings = [
        "zoé@société.example",
        "Zoé@Société.EXAMPLE",
        "zoe\u{301}@socie\u{301}te\u{301}.example",
        "zoé@xn--socit-esab.example",
        "\u{feff}zoé@société.example",
        " zoé@société.example\u{200b}\n",
        "\u{2068}zoé@ｓociété．example\u{2069}",
    ];
    for (number, email) in spellings.into_iter().enumerate() {
        for password in [composed, apart] {
            let found = attempt(stage.address(), email, password, number).await.expect(200).json();
            assert_eq!(found["user"]["id"], opened["user"]["id"], "{email:?}");
        }
        let taken = sign_up("Autre", email, people::NEW_PASSWORD, number).await;
        assert_eq!(taken.status, 409, "{email:?}: {}", taken.text());
    }
    for (name, email, password, field) in [
        ("Zed", "z\u{200b}ed@example.org", composed, "email"),
        ("Zed", "ze\u{202e}d@example.org", composed, "email"),
        ("Zed", "zed@ex\u{ad}ample.org", composed, "email"),
        ("\u{3164}", "zed@example.org", composed, "name"),
        ("\u{2800}\u{ffa0}", "zed@example.org", composed, "name"),
        ("Zed", "zed@example.org", "            ", "password"),
        (
            "Zed",
            "zed@example.org",
            "\u{a0}\u{2003}\u{a0}\u{2003}\u{a0}\u{2003}\u{a0}\u{2003}\u{a0}\u{2003}\u{a0}\u{2003}",
            "password",
        ),
    ] {
        let refused = sign_up(name, email, password, 99).await.expect(400).json();
        assert_eq!(refused["details"][0]["field"], field, "{refused}");
    }
}

#[tokio::test]
async fn only_good_passwords_are_taken() {
    let stage = Stage::new().await;
    let cases = [
        ("court", false),
        ("123456789012", false),
        ("motdepasse123", false),
        ("quelquun@example.org", false),
        (&"x".repeat(129), false),
        ("пароль из кириллицы", true),
        (&(0..128).filter_map(|n| char::from_u32(0x4e00 + n * n * 7919 % 20_000)).collect::<String>(), true),
    ];
    for (number, (password, good)) in cases.iter().enumerate() {
        let email =
            if number == 3 { "quelquun@example.org".to_owned() } else { format!("quelquun{number}@example.org") };
        let body = json!({ "name": "Quelqu'un", "email": email, "password": password });
        let ask = http::post(stage.address(), "/auth/sign-up", &body).from(people::loopback(number));
        let reply = ask.send().await;
        assert_eq!(reply.status, if *good { 201 } else { 400 }, "{password:?}: {}", reply.text());
        if !good {
            assert_eq!(reply.json()["details"][0]["field"], "password", "{}", reply.text());
        }
    }
    let forged =
        json!({ "name": "Z", "email": "z@example.org", "password": "une phrase assez longue", "role": "admin" });
    let reply = http::post(stage.address(), "/auth/sign-up", &forged).send().await;
    assert!(reply.status >= 400 || reply.json()["user"]["role"] == "client", "{}", reply.text());
}
