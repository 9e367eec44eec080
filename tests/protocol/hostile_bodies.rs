//! Polling requests that nobody should send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::engine_cases::assert_one_of_two_polls;
use crate::fixture::{Target, ask, budget, get, open_polling, post};
use crate::hostile_handshakes::reset;

const PATH: &str = "/engine.io/";

fn poll(sid: &str) -> String {
    format!("{PATH}?EIO=4&transport=polling&sid={sid}")
}

/// CVE-2020-36048.
#[tokio::test]
async fn bodies_of_countless_packets_cost_little() {
    const TIMES: u32 = 5;
    let target = Target::engine().await;
    let to = target.address;
    let bodies = [
        vec!["4"; 500_000].join("\u{1e}"),
        vec!["6"; 500_000].join("\u{1e}"),
        "\u{1e}".repeat(1_000_000),
        format!("4{}", "\u{1e}".repeat(999_999)),
        vec!["b"; 500_000].join("\u{1e}"),
        format!("b{}", "A".repeat(999_997)),
    ];
    for body in &bodies {
        let before = target.cpu();
        for _ in 0..TIMES {
            let target = poll(&open_polling(to, PATH).await);
            let reply = post(to, &target, body).await;
            assert_eq!((reply.status, reply.code()), (400, 3), "{:?}", &body[..4]);
            assert_eq!(get(to, &target).await.code(), 1);
        }
        let used = target.cpu() - before;
        assert!(used <= TIMES * budget(100), "{used:?} for {TIMES} times {:?}", &body[..4]);
    }
    target.assert_unharmed().await;
}

/// CVE-2026-59725.
#[tokio::test]
async fn binary_bodies_are_refused_and_leave_nothing() {
    let target = Target::engine().await;
    let to = target.address;
    for _ in 0..20 {
        let all = (0..50).map(|_| async move {
            let target = poll(&open_polling(to, PATH).await);
            // As text it would be a packet.
            let reply = ask(to, "POST", &target, &[("Content-Type", "application/octet-stream")], b"4").await;
            assert_eq!((reply.status, reply.code()), (400, 3));
        });
        let tasks: Vec<_> = all.map(tokio::spawn).collect();
        for task in tasks {
            task.await.expect("refused");
        }
    }
    target.assert_unharmed().await;
}

#[tokio::test]
async fn two_polls_at_once_end_the_session() {
    let target = Target::engine().await;
    let to = target.address;
    let sid = open_polling(to, PATH).await;
    assert_one_of_two_polls(to, &poll(&sid)).await;
    assert_eq!(post(to, &poll(&sid), "4x").await.code(), 1);
    target.assert_unharmed().await;
}

#[tokio::test]
async fn two_posts_at_once_end_the_session() {
    let target = Target::engine().await;
    let to = target.address;
    let sid = open_polling(to, PATH).await;
    let mut slow = TcpStream::connect(to).await.expect("connected");
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n", poll(&sid));
    slow.write_all(head.as_bytes()).await.expect("sent");
    let mut go_on = [0; 25];
    slow.read_exact(&mut go_on).await.expect("the server waits for the body");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    slow.write_all(b"4").await.expect("sent");
    let second = post(to, &poll(&sid), "4x").await;
    assert_eq!((second.status, second.code()), (400, 3));
    assert_eq!(get(to, &poll(&sid)).await.code(), 1);
    drop(slow);
    target.assert_unharmed().await;
}

#[tokio::test]
async fn polls_and_posts_that_are_cut_off_leave_nothing() {
    let target = Target::engine().await;
    let to = target.address;
    let mut sids = Vec::new();
    for number in 0..200 {
        let sid = open_polling(to, PATH).await;
        let mut stream = TcpStream::connect(to).await.expect("connected");
        let request = match number % 2 {
            0 => format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", poll(&sid)),
            _ => format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n4abc", poll(&sid)),
        };
        stream.write_all(request.as_bytes()).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(2)).await;
        if number % 4 < 2 {
            reset(stream)
        } else {
            drop(stream)
        }
        sids.push(sid);
    }
    for sid in sids {
        // A poll that is answered while it is cut off looks like one that arrived: then the heartbeat ends the session.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(15);
        while post(to, &poll(&sid), "4x").await.status == 200 {
            assert!(tokio::time::Instant::now() < deadline, "the session lives on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    target.assert_unharmed().await;
}

#[tokio::test]
async fn bodies_over_the_bound_are_refused_before_they_are_kept() {
    let target = Target::engine().await;
    let to = target.address;
    for _ in 0..20 {
        let sid = open_polling(to, PATH).await;
        let mut stream = TcpStream::connect(to).await.expect("connected");
        let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", poll(&sid));
        stream.write_all(head.as_bytes()).await.expect("sent");
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        for _ in 0..200 {
            if stream.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
        assert_eq!(get(to, &poll(&sid)).await.code(), 1);
    }
    target.assert_unharmed().await;
}
