//! `docs/PROTOCOL.md` says what the code does.

use std::collections::BTreeMap;
use std::time::Duration;

use lexchat::engineio;
use lexchat::engineio::answer::Fault;
use lexchat::engineio::packet::{Packet as EnginePacket, Text};
use lexchat::socketio;
use lexchat::socketio::packet::Packet as SocketPacket;

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
    let told = PAGE.split("are refused: ").nth(1).and_then(|rest| rest.split(". ").next()).expect("a list of names");
    let names: Vec<&str> = told.split(", ").map(|name| name.trim_matches('`')).collect();
    assert_eq!(names.len(), 6);
    for name in names {
        assert!(SocketPacket::decode(&Text::from(format!("2[\"{name}\"]"))).is_err(), "{name}");
    }
}

#[test]
fn the_fixed_bounds_are_those_of_the_code() {
    assert!(PAGE.contains("10 000 packets of one body"));
    assert_eq!(engineio::payload::PACKETS_MAX, 10_000);
}
