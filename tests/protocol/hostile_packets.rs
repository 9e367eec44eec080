//! Socket.IO packets that nobody should send.

use std::time::Duration;

use crate::fixture::{Target, budget, open_namespace, open_polling, open_websocket};
use crate::support::wire::WebSocket;

/// The server answers nothing and closes, long before a heartbeat could be the reason.
async fn assert_closed(websocket: &mut WebSocket, packet: &str) {
    let shown: String = packet.chars().take(40).collect();
    assert_eq!(websocket.refused().await, Some(1002), "{shown}");
}

async fn assert_each_closes(target: &Target, packets: &[String]) {
    for packet in packets {
        let mut websocket = open_namespace(target.address).await;
        websocket.text(packet).await;
        // Were the packet let through, this would bring an answer.
        websocket.text(r#"42["message","after"]"#).await;
        assert_closed(&mut websocket, packet).await;
    }
}

fn owned(packets: &[&str]) -> Vec<String> {
    packets.iter().map(|packet| (*packet).to_owned()).collect()
}

/// CVE-2026-69185.
#[tokio::test]
async fn binary_that_no_header_announced_closes() {
    let target = Target::socket().await;
    let mut websocket = open_namespace(target.address).await;
    websocket.text(r#"450-["x"]"#).await;
    for _ in 0..10_000 {
        websocket.binary(&[0; 16]).await;
    }
    // So much behind the goodbye may take it back.
    assert!(matches!(websocket.refused().await, Some(1002) | None));
    let mut websocket = open_namespace(target.address).await;
    websocket.binary(&[1]).await;
    assert_closed(&mut websocket, "binary").await;
    assert_each_closes(&target, &owned(&["460-1[]", "450-[]", r#"450-["message"]"#])).await;
    target.assert_unharmed().await;
}

/// CVE-2026-33151 and GHSA-55mf-67qm-4wpg.
#[tokio::test]
async fn headers_that_declare_nonsense_close() {
    let target = Target::socket().await;
    let placeholders: Vec<String> = (0..11).map(|num| format!(r#"{{"_placeholder":true,"num":{num}}}"#)).collect();
    let mut packets = owned(&[
        r#"4599999999-["x"]"#,
        r#"4599999999999999999999-["x"]"#,
        r#"451.5-["x"]"#,
        r#"45-1-["x"]"#,
        r#"45+1-["x"]"#,
        r#"45 1-["x"]"#,
        r#"451["x"]"#,
        "45",
        "451",
        "451-",
        "45-",
        r#"45-["x"]"#,
    ]);
    packets.push(format!(r#"4511-["x",{}]"#, placeholders.join(",")));
    assert_each_closes(&target, &packets).await;
    target.assert_unharmed().await;
}

#[tokio::test]
async fn attachments_before_a_namespace_are_bounded_in_bytes_and_time() {
    let target = Target::socket().await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut websocket = open_websocket(target.address, "/socket.io/").await;
        websocket.text(r#"4510-["x",{"_placeholder":true,"num":0}]"#).await;
        for _ in 0..9 {
            websocket.binary(&vec![0; 999_000]).await;
        }
        clients.push(websocket);
    }
    for websocket in &mut clients {
        assert!(matches!(websocket.refused().await, Some(1002) | None));
    }
    let mut silent = open_websocket(target.address, "/socket.io/").await;
    silent.text(r#"4510-["x"]"#).await;
    assert_closed(&mut silent, "4510- and silence").await;
    drop(clients);
    target.assert_unharmed().await;
}

/// CVE-2022-2421.
#[tokio::test]
async fn placeholders_that_point_nowhere_close() {
    let target = Target::socket().await;
    for num in ["\"splice\"", "1", "-1", "1.5", "1e9", "null", "true", "[0]", "{}", "18446744073709551616", "\"0\""] {
        for place in ["X", r#"{"a":[X]}"#, r#"[[[[X]]]]"#] {
            let placeholder = format!(r#"{{"_placeholder":true,"num":{num}}}"#);
            let mut websocket = open_namespace(target.address).await;
            websocket.text(&format!(r#"451-["message",{}]"#, place.replace('X', &placeholder))).await;
            websocket.binary(&[1]).await;
            assert_closed(&mut websocket, num).await;
        }
    }
    let mut websocket = open_namespace(target.address).await;
    websocket.text(r#"451-["message",{"_placeholder":true}]"#).await;
    websocket.binary(&[1]).await;
    assert_closed(&mut websocket, "no num").await;
    target.assert_unharmed().await;
}

/// CVE-2023-32695 and CVE-2024-38355.
#[tokio::test]
async fn events_without_a_proper_name_close() {
    let target = Target::socket().await;
    let packets = owned(&[
        r#"42[{"toString":"foo"}]"#,
        "42[true]",
        "42[null]",
        "42[[]]",
        "42[1.5]",
        "42[]",
        "42{}",
        r#"42"x""#,
        "42",
        "42null",
        "42[",
        r#"42["x""#,
        r#"42["x"]]"#,
        r#"42["x"]{}"#,
        "42[\"a\nb\"]",
        r#"42["\ud800"]"#,
        r#"42["connect"]"#,
        r#"42["connect_error"]"#,
        r#"42["disconnect"]"#,
        r#"42["disconnecting","x"]"#,
        r#"42["newListener"]"#,
        r#"42["removeListener"]"#,
        r#"43["no id"]"#,
        "431{}",
        "44{}",
        r#"44{"message":"x"}"#,
        "41{}",
        "40",
        "47",
        "4",
        "4 ",
    ]);
    assert_each_closes(&target, &packets).await;
    let mut ignored = open_namespace(target.address).await;
    for packet in [r#"42["error","x"]"#, r#"42["__proto__","x"]"#, r#"42["constructor"]"#, "42[1]", "4399[]"] {
        ignored.text(packet).await;
    }
    ignored.text(r#"42["message","served"]"#).await;
    assert_eq!(ignored.message().await, r#"42["message-back","served"]"#);
    drop(ignored);
    target.assert_unharmed().await;
}

/// CVE-2020-36049.
#[tokio::test]
async fn packets_that_are_long_to_read_cost_little() {
    const TIMES: u32 = 10;
    let target = Target::socket().await;
    let packets = [
        format!("4{}", "2".repeat(999_999)),
        format!("42{}[\"a\"]", "9".repeat(500_000)),
        format!("45{}-[]", "9".repeat(500_000)),
        format!("41/{}", "a".repeat(900_000)),
        format!("42/{},[\"a\"]", "a".repeat(900_000)),
        format!("42{}", "[".repeat(900_000)),
        format!("40{}", r#"{"a":"#.repeat(150_000)),
        format!("451-[\"a\",{}", "[".repeat(900_000)),
        format!("42{}[\"a\"]", 1u64 << 53),
        format!("42{}[\"a\"]", u64::MAX),
        format!("43{}[]", (1u64 << 53) + 1),
    ];
    for packet in &packets {
        let before = target.cpu();
        for _ in 0..TIMES {
            let mut websocket = open_namespace(target.address).await;
            websocket.text(packet).await;
            assert_closed(&mut websocket, packet).await;
        }
        let used = target.cpu() - before;
        assert!(used <= TIMES * budget(50), "{used:?} for {TIMES} times {:?}", &packet[..4]);
    }
    let mut largest = open_namespace(target.address).await;
    largest.text(&format!("42{}[\"message-with-ack\"]", (1u64 << 53) - 1)).await;
    assert_eq!(largest.message().await, "439007199254740991[]");
    drop(largest);
    target.assert_unharmed().await;
}

#[tokio::test]
async fn namespaces_of_one_connection_are_counted() {
    let target = Target::socket().await;
    let mut websocket = open_namespace(target.address).await;
    for number in 0..5_000 {
        websocket.text(&format!("40/custom{number},")).await;
    }
    let mut refused = 0;
    while refused < 5_000 {
        let answer = websocket.message().await;
        assert!(answer.contains("Invalid namespace"), "{answer}");
        refused += 1;
    }
    drop(websocket);
    let mut twice = open_namespace(target.address).await;
    twice.text("40").await;
    assert_closed(&mut twice, "40 twice").await;
    target.assert_unharmed().await;
}

#[tokio::test]
async fn whoever_asks_for_a_namespace_in_vain_is_told() {
    let target = Target::socket().await;
    let mut websocket = open_namespace(target.address).await;
    let long = format!("/{}", "a".repeat(5_000));
    websocket.text(&format!("40{long},{{}}")).await;
    let answer = websocket.message().await;
    assert!(answer.starts_with(&format!("44{long},")) && answer.contains("Invalid namespace"), "{answer:.60}");
    websocket.text(r#"40/nowhere,{"token":"\ud83d"}"#).await;
    assert!(websocket.message().await.starts_with("44/nowhere,"));
    drop(websocket);
    target.assert_unharmed().await;
}

/// The same rules over polling.
#[tokio::test]
async fn a_bad_packet_closes_a_polling_session_too() {
    let target = Target::socket().await;
    let to = target.address;
    for body in ["40\u{1e}42{}", "40\u{1e}4abc", "40\u{1e}bAAAA", "40\u{1e}451-[\"x\"]\u{1e}42[\"message\"]"] {
        let poll = format!("/socket.io/?EIO=4&transport=polling&sid={}", open_polling(to, "/socket.io/").await);
        let posted = crate::fixture::post(to, &poll, body).await;
        assert_eq!(posted.status, 200, "the transport's own rules are kept");
        // Who does not answer a ping is cut off after seven.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
        while crate::fixture::get(to, &poll).await.status == 200 {
            assert!(tokio::time::Instant::now() < deadline, "{body:?} is let through");
        }
    }
    target.assert_unharmed().await;
}
