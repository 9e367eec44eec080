//! WebSocket frames that nobody should send.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::fixture::{Target, open_websocket};
use crate::support::wire::{BINARY, CLOSE, Frame, PING, Refusal, TEXT, WebSocket, frame_head, masked, upgrade_request};

const PATH: &str = "/engine.io/";

/// CVE-2026-48779.
#[tokio::test]
async fn endless_empty_fragments_close() {
    let target = Target::engine().await;
    let before = target.cpu();
    let mut websocket = open_websocket(target.address, PATH).await;
    websocket.frame(0x01, b"4").await;
    let fragments = masked(0x00, b"").repeat(1000);
    for _ in 0..1000 {
        if websocket.stream.write_all(&fragments).await.is_err() {
            break;
        }
    }
    // So much behind the goodbye may take it back.
    assert!(matches!(websocket.refused().await, Some(1008) | None));
    assert!(target.cpu() - before < Duration::from_millis(500), "{:?}", target.cpu() - before);
    let mut counted = open_websocket(target.address, PATH).await;
    counted.frame(0x01, b"4").await;
    counted.raw(&masked(0x00, b"").repeat(1023)).await;
    counted.frame(PING, b"1024 so far").await;
    assert_eq!(counted.next().await, Frame::Pong(b"1024 so far".to_vec()));
    counted.frame(0x00, b"").await;
    assert_eq!(counted.refused().await, Some(1008));
    let mut honest = open_websocket(target.address, PATH).await;
    honest.frame(0x01, b"4").await;
    for _ in 0..1000 {
        honest.frame(0x00, b"x").await;
    }
    honest.frame(0x80, b"").await;
    assert_eq!(honest.message().await, format!("4{}", "x".repeat(1000)));
    drop((websocket, counted, honest));
    target.assert_unharmed().await;
}

/// CVE-2026-45736 and RFC 6455: what breaks the framing gets 1002, what breaks the text 1007.
#[tokio::test]
async fn frames_against_the_rules_get_the_code_for_it() {
    let target = Target::engine().await;
    let close = |code: u16, reason: &[u8]| {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason);
        masked(CLOSE, &payload)
    };
    let unmasked = [&[TEXT, 2][..], b"4a"].concat();
    let rows: [(&str, Vec<u8>, u16); 28] = [
        ("close frame of length 1", masked(CLOSE, &[3]), 1002),
        ("close code 1005", close(1005, b""), 1002),
        ("close code 1006", close(1006, b""), 1002),
        ("close code 1004", close(1004, b""), 1002),
        ("close code 1015", close(1015, b""), 1002),
        ("close code 999", close(999, b""), 1002),
        ("close code 0", close(0, b""), 1002),
        ("close code 5000", close(5000, b""), 1002),
        ("close code 65535", close(65535, b""), 1002),
        ("close reason that is no text", close(1000, &[0xff, 0xfe]), 1007),
        ("close reason cut in a character", close(1000, &[0xe2, 0x82]), 1007),
        ("close frame of 126 bytes", masked(CLOSE, &[0x03; 126]), 1002),
        ("fragmented close frame", masked(0x08, &[3, 0xe8]), 1002),
        ("unmasked frame", unmasked, 1002),
        ("reserved opcode 3", masked(0x83, b"x"), 1002),
        ("reserved opcode 7", masked(0x87, b"x"), 1002),
        ("reserved opcode 11", masked(0x8b, b"x"), 1002),
        ("reserved opcode 15", masked(0x8f, b"x"), 1002),
        ("RSV1", masked(0xc1, b"4a"), 1002),
        ("RSV2", masked(0xa1, b"4a"), 1002),
        ("RSV3", masked(0x91, b"4a"), 1002),
        ("fragmented ping", masked(0x09, b"a"), 1002),
        ("ping of 126 bytes", masked(PING, &[0; 126]), 1002),
        ("pong of 126 bytes", masked(0x8a, &[0; 126]), 1002),
        ("continuation without a start", masked(0x80, b"x"), 1002),
        ("start within a message", [masked(0x01, b"4"), masked(TEXT, b"4")].concat(), 1002),
        ("text that is none", masked(TEXT, &[b'4', 0xff]), 1007),
        ("text cut in a character", [masked(0x01, &[b'4', 0xe2, 0x82]), masked(0x80, b"x")].concat(), 1007),
    ];
    for (name, bytes, code) in rows {
        let mut websocket = open_websocket(target.address, PATH).await;
        websocket.raw(&bytes).await;
        assert_eq!(websocket.refused().await, Some(code), "{name}");
    }
    for code in [1000, 1001, 1003, 1011, 3000, 4999] {
        let mut websocket = open_websocket(target.address, PATH).await;
        websocket.raw(&close(code, "gõodbye".as_bytes())).await;
        assert_eq!(websocket.refused().await, Some(code), "an honest goodbye");
    }
    let mut websocket = open_websocket(target.address, PATH).await;
    websocket.raw(&masked(CLOSE, b"")).await;
    assert_eq!(websocket.refused().await, None, "a goodbye without a code");
    target.assert_unharmed().await;
}

/// RUSTSEC-2022-0035 and its kin.
#[tokio::test]
async fn a_frame_that_declares_exbibytes_closes() {
    let target = Target::engine().await;
    for length in [u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 40, 1_000_001] {
        for first in [TEXT, BINARY, 0x01] {
            let mut websocket = open_websocket(target.address, PATH).await;
            websocket.raw(&frame_head(first, length)).await;
            websocket.raw(&[0; 4096]).await;
            assert_eq!(websocket.refused().await, Some(1009), "{length}");
        }
    }
    let mut waiting = Vec::new();
    for _ in 0..50 {
        let mut websocket = open_websocket(target.address, PATH).await;
        websocket.raw(&frame_head(BINARY, 1_000_000)).await;
        waiting.push(websocket);
    }
    // They declare 50 MB and send none of it; the heartbeat ends them.
    for websocket in &mut waiting {
        websocket.closed().await;
    }
    drop(waiting);
    target.assert_unharmed().await;
}

#[tokio::test]
async fn a_reader_that_never_reads_is_cut_off() {
    let mut target = Target::engine().await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let websocket = open_websocket(target.address, PATH).await;
        let _ = socket2::SockRef::from(&websocket.stream).set_recv_buffer_size(4096);
        clients.push(websocket);
    }
    let message = masked(TEXT, format!("4{}", "x".repeat(100_000)).as_bytes());
    for websocket in &mut clients {
        let mut refused = false;
        for _ in 0..400 {
            let sent = tokio::time::timeout(Duration::from_secs(5), websocket.stream.write_all(&message)).await;
            if !matches!(sent, Ok(Ok(()))) {
                refused = true;
                break;
            }
        }
        assert!(refused, "40 MB were taken for a client that reads nothing");
        target.testify().await;
        let resident = target.resident_kb();
        assert!(resident < 64 * 1024, "{resident} kB for clients that read nothing");
    }
    drop(clients);
    target.assert_unharmed().await;
}

#[tokio::test]
async fn a_flood_of_pings_that_reads_no_pong_costs_nothing() {
    let target = Target::engine().await;
    let mut websocket = open_websocket(target.address, PATH).await;
    let pings = masked(PING, &[7; 125]).repeat(100);
    for _ in 0..1000 {
        let sent = tokio::time::timeout(Duration::from_secs(2), websocket.stream.write_all(&pings)).await;
        if !matches!(sent, Ok(Ok(()))) {
            break;
        }
    }
    let resident = target.resident_kb();
    assert!(resident < 64 * 1024, "{resident} kB");
    drop(websocket);
    target.assert_unharmed().await;
}

/// A head that drips in, byte by byte, and then is too long.
#[tokio::test]
async fn a_long_head_in_single_bytes_is_cut_off() {
    let mut target = Target::engine().await;
    let before = target.cpu();
    let head = upgrade_request(target.address, &format!("{PATH}?EIO=4&transport=websocket"), &[]);
    let long = head.replace("\r\n\r\n", &format!("\r\nX-Long: {}\r\n\r\n", "x".repeat(64 * 1024)));
    let mut stream = TcpStream::connect(target.address).await.expect("connected");
    stream.set_nodelay(true).expect("set");
    let mut cut = false;
    for byte in long.as_bytes().chunks(1) {
        if stream.write_all(byte).await.is_err() {
            cut = true;
            break;
        }
    }
    if !cut {
        let Err(Refusal::Answered(reply)) = WebSocket::upgraded(stream).await else { panic!("no answer") };
        assert!(matches!(reply.status, 400 | 431), "{}", reply.status);
    }
    target.testify().await;
    let used = target.cpu() - before;
    assert!(used < Duration::from_secs(5), "{used:?}");
    target.assert_unharmed().await;
}

#[tokio::test]
async fn random_bytes_never_harm_anybody() {
    let target = Target::engine().await;
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..200 {
        let mut websocket = open_websocket(target.address, PATH).await;
        let noise: Vec<u8> = (0..512)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect();
        websocket.raw(&noise).await;
        let _ = websocket.stream.shutdown().await;
        while websocket.next().await != Frame::End {}
    }
    target.assert_unharmed().await;
}
