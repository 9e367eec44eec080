//! `docs/PROTOCOL.md` says what the code does.

use std::collections::BTreeMap;
use std::time::Duration;

use lexchat::engineio;
use lexchat::engineio::answer::Fault;
use lexchat::engineio::packet::{Packet as EnginePacket, Text};
use lexchat::socketio;
use lexchat::socketio::packet::Packet as SocketPacket;

use crate::fixture::Echo;
use crate::support::wire::{CLOSE, Frame, TEXT, WebSocket, frame_head, masked};

const PAGE: &str = include_str!("../../docs/PROTOCOL.md");

/// The rows of the table under a heading, cell by cell, without backticks.
fn rows(part: &str, heading: &str) -> Vec<Vec<String>> {
    let part = PAGE.split(&format!("\n## {part}\n")).nth(1).unwrap_or_else(|| panic!("no part {part}"));
    let part = part.split("\n## ").next().unwrap_or_default();
    let section = part.split(&format!("\n### {heading}\n")).nth(1).unwrap_or_else(|| panic!("no heading {heading}"));
    let lines = section.split("\n#").next().unwrap_or_default().lines();
    let table = lines.filter(|line| line.starts_with('|')).skip(2);
    table.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()).collect()
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

fn bytes(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    format!("{} bytes", groups.join(" "))
}

fn assert_settings(part: &str, expected: &[(&str, String)]) {
    let told: BTreeMap<String, String> =
        rows(part, "Settings").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let set: BTreeMap<String, String> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    assert_eq!(told, set);
}

#[test]
fn every_fault_is_told_with_its_status_code_and_message() {
    let told = rows("Engine.IO 4", "Errors");
    let there: Vec<Vec<String>> = Fault::ALL
        .iter()
        .map(|fault| {
            let (status, code) = (fault.status().as_u16().to_string(), fault.code().to_string());
            vec![format!("{fault:?}"), status, code, fault.message().to_owned()]
        })
        .collect();
    assert_eq!(told, there);
}

#[test]
fn every_setting_is_told_with_its_default() {
    let engineio::server::Settings {
        ping_interval,
        ping_timeout,
        max_payload,
        queue_bytes_max,
        sessions_max_per_address,
        upgrade_timeout,
        body_timeout,
        close_timeout,
        origins: _,
        bare_websocket_paths: _,
    } = engineio::server::Settings::default();
    assert_settings(
        "Engine.IO 4",
        &[
            ("ping_interval", seconds(ping_interval)),
            ("ping_timeout", seconds(ping_timeout)),
            ("max_payload", bytes(max_payload)),
            ("queue_bytes_max", bytes(queue_bytes_max)),
            ("sessions_max_per_address", sessions_max_per_address.to_string()),
            ("upgrade_timeout", seconds(upgrade_timeout)),
            ("body_timeout", seconds(body_timeout)),
            ("close_timeout", seconds(close_timeout)),
        ],
    );
    let socketio::connection::Settings {
        connect_timeout,
        attachments_max,
        packet_bytes_max,
        assembly_timeout,
        namespaces_max,
    } = socketio::connection::Settings::default();
    assert_settings(
        "Socket.IO 5",
        &[
            ("connect_timeout", seconds(connect_timeout)),
            ("attachments_max", attachments_max.to_string()),
            ("packet_bytes_max", bytes(packet_bytes_max)),
            ("assembly_timeout", seconds(assembly_timeout)),
            ("namespaces_max", namespaces_max.to_string()),
        ],
    );
}

#[test]
fn every_packet_that_a_client_may_send_is_told() {
    for (digit, row) in rows("Engine.IO 4", "Packets").into_iter().enumerate() {
        assert_eq!(row[0], digit.to_string());
        let read = ["", "probe"].iter().any(|rest| EnginePacket::decode(&Text::from(format!("{digit}{rest}"))).is_ok());
        assert_eq!(read, row[2] != "–", "{}", row[1]);
    }
    let samples = ["0", "1", r#"2["a"]"#, "30[]", "4{}", r#"51-["a"]"#, "61-0[]"];
    let told = rows("Socket.IO 5", "Packets");
    assert_eq!(told.len(), samples.len());
    for (digit, (row, sample)) in told.into_iter().zip(samples).enumerate() {
        assert_eq!(row[0], digit.to_string());
        assert_eq!(SocketPacket::decode(&Text::from(sample)).is_ok(), row[2] != "–", "{}", row[1]);
    }
}

#[test]
fn the_names_that_are_told_as_refused_are_refused() {
    // Wherever its lines end.
    let page = PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = page.split("are refused: ").nth(1).and_then(|rest| rest.split(". ").next()).expect("a list of names");
    let names: Vec<&str> = told.split(", ").map(|name| name.trim_matches('`')).collect();
    assert_eq!(names.len(), 6);
    for name in names {
        assert!(SocketPacket::decode(&Text::from(format!("2[\"{name}\"]"))).is_err(), "{name}");
    }
}

/// The value of a constant in the sources of the two layers.
fn constant(name: &str) -> u64 {
    let sources = [
        include_str!("../../src/engineio/payload.rs"),
        include_str!("../../src/engineio/polling.rs"),
        include_str!("../../src/engineio/server.rs"),
        include_str!("../../src/engineio/session.rs"),
        include_str!("../../src/engineio/session/state.rs"),
        include_str!("../../src/engineio/websocket.rs"),
        include_str!("../../src/engineio/wire.rs"),
        include_str!("../../src/socketio/args.rs"),
        include_str!("../../src/socketio/packet.rs"),
    ];
    let value =
        |source: &str| Some(source.split(&format!("const {name}: ")).nth(1)?.split([';', '=']).nth(1)?.to_owned());
    let value = sources.iter().find_map(|source| value(source)).unwrap_or_else(|| panic!("no constant {name}"));
    match value.trim() {
        "(1 << 53) - 1" => (1 << 53) - 1,
        digits => digits.replace('_', "").parse().unwrap_or_else(|_| panic!("{name} = {digits}")),
    }
}

#[test]
fn the_fixed_bounds_are_those_of_the_code() {
    for (part, count) in [("Engine.IO 4", 6), ("Socket.IO 5", 2)] {
        let told = rows(part, "Fixed bounds");
        assert_eq!(told.len(), count);
        for row in told {
            assert_eq!(row[1].replace(' ', ""), constant(&row[0]).to_string(), "{}", row[0]);
        }
    }
}

#[tokio::test]
async fn the_close_codes_are_those_that_are_told() {
    let echo = Echo::calm_engine().await;
    let fragments = [masked(0x01, b"4"), masked(0x00, b"").repeat(1024)].concat();
    let provocations = [
        masked(0x83, b"x"),
        masked(TEXT, &[b'4', 0xff]),
        frame_head(TEXT, 1_000_001),
        fragments,
        masked(CLOSE, &4321u16.to_be_bytes()),
    ];
    let told = rows("Engine.IO 4", "WebSocket");
    assert_eq!(told.len(), provocations.len());
    for (row, bytes) in told.iter().zip(provocations) {
        let code = if row[1] == "its own code" { 4321 } else { row[1].parse().expect("a close code") };
        let mut websocket = echo.websocket().await;
        websocket.raw(&bytes).await;
        assert_eq!(websocket.refused().await, Some(code), "{}", row[0]);
    }
}

#[tokio::test]
async fn permessage_deflate_is_not_offered_and_the_page_says_so() {
    assert!(PAGE.contains("**permessage-deflate is not offered**"));
    let echo = Echo::calm_engine().await;
    let asked = [("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")];
    let target = echo.at("EIO=4&transport=websocket");
    let mut websocket = WebSocket::try_open(echo.address, &target, &asked).await.expect("an upgrade");
    assert_eq!(websocket.head.header("sec-websocket-extensions"), None);
    assert!(matches!(websocket.next().await, Frame::Text(opening) if opening.starts_with("0{")));
    // A frame marked as compressed is then against the rules.
    websocket.raw(&masked(0xc1, b"4a")).await;
    assert_eq!(websocket.refused().await, Some(1002));
}
