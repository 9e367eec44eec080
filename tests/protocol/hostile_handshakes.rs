//! Handshakes that nobody should send, each with what it has to be answered.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::fixture::{Target, ask, get, open_polling, open_websocket, post};
use crate::support::http::talk;
use crate::support::wire::{Frame, TEXT, WebSocket, masked, upgrade_request};

const PATH: &str = "/engine.io/";

/// CVE-2026-102599.
#[tokio::test]
async fn an_upgrade_with_another_version_leaves_the_session_alone() {
    let target = Target::engine().await;
    let to = target.address;
    let sid = open_polling(to, PATH).await;
    for version in ["EIO=3&", "", "EIO=&", "EIO=4&EIO=4&", "EIO=04&"] {
        let upgrade = format!("{PATH}?{version}transport=websocket&sid={sid}");
        let refused = WebSocket::try_open(to, &upgrade, &[]).await.err().expect("no upgrade");
        assert_eq!((refused.status, refused.code()), (400, 5), "{version}");
    }
    let poll = format!("{PATH}?EIO=4&transport=polling&sid={sid}");
    assert_eq!(post(to, &poll, "4alive").await.status, 200);
    assert_eq!(get(to, &poll).await.text(), "4alive");
    assert_eq!(post(to, &poll, "1").await.status, 200);
    target.assert_unharmed().await;
}

/// CVE-2023-31125 and its kin.
#[tokio::test]
async fn transports_and_sessions_that_there_are_not_are_refused() {
    let target = Target::engine().await;
    let to = target.address;
    let transports =
        ["__proto__", "constructor", "webtransport", "toString", "POLLING", "%00", "polling%00", "hasOwnProperty"];
    for transport in transports {
        let reply = get(to, &format!("{PATH}?EIO=4&transport={transport}")).await;
        assert_eq!((reply.status, reply.code()), (400, 0), "{transport}");
    }
    for query in ["transport[]=polling", "transport[a]=polling", "transport=polling&transport=polling"] {
        let reply = get(to, &format!("{PATH}?EIO=4&{query}")).await;
        assert_eq!((reply.status, reply.code()), (400, 0), "{query}");
    }
    let long = "a".repeat(10_000);
    for sid in ["__proto__", "", &long, "%00", "..%2f", "constructor", "AAAAAAAAAAAAAAAAAAAAAA"] {
        for transport in ["polling", "websocket"] {
            let reply = get(to, &format!("{PATH}?EIO=4&transport={transport}&sid={sid}")).await;
            assert_eq!((reply.status, reply.code()), (400, 1), "{sid}");
        }
        let reply = post(to, &format!("{PATH}?EIO=4&transport=polling&sid={sid}"), "4x").await;
        assert_eq!((reply.status, reply.code()), (400, 1), "{sid}");
    }
    target.assert_unharmed().await;
}

#[tokio::test]
async fn a_websocket_transport_without_an_upgrade_is_refused() {
    let target = Target::engine().await;
    let to = target.address;
    let handshake = format!("{PATH}?EIO=4&transport=websocket");
    let rows: [&[(&str, &str)]; 7] = [
        &[],
        &[("Upgrade", "websocket")],
        &[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
        &[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")],
        &[("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13")],
        &[
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "12"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ],
        &[
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "short"),
        ],
    ];
    for headers in rows {
        let reply = ask(to, "GET", &handshake, headers, b"").await;
        assert_eq!((reply.status, reply.code()), (400, 3), "{headers:?}");
    }
    for method in ["POST", "PUT"] {
        let reply = ask(to, method, &handshake, &[], b"").await;
        assert_eq!(reply.status, 400);
    }
    target.assert_unharmed().await;
}

/// CVE-2022-41940 and CVE-2022-21676.
#[tokio::test]
async fn upgrades_that_break_off_harm_nobody() {
    let target = Target::engine().await;
    let to = target.address;
    let requests = [
        format!(
            "GET {PATH}?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        ),
        upgrade_request(to, "/elsewhere", &[]),
        upgrade_request(to, &format!("{PATH}?EIO=4&transport=polling"), &[]),
        upgrade_request(to, &format!("{PATH}?EIO=4&transport=websocket"), &[]),
        upgrade_request(to, &format!("{PATH}?EIO=4&transport=websocket"), &[]).replace("websocket\r\n", "h2c\r\n"),
    ];
    for request in &requests {
        for _ in 0..50 {
            let mut stream = TcpStream::connect(to).await.expect("connected");
            stream.write_all(request.as_bytes()).await.expect("sent");
            reset(stream);
        }
    }
    let plain = ask(to, "GET", &format!("{PATH}?EIO=4&transport=polling"), &[("Upgrade", "h2c")], b"").await;
    assert_eq!(plain.status, 200);
    target.assert_unharmed().await;
}

#[tokio::test]
async fn bytes_right_behind_an_upgrade_request_are_not_lost() {
    let target = Target::engine().await;
    for count in [1, 100] {
        let mut stream = TcpStream::connect(target.address).await.expect("connected");
        let mut bytes = upgrade_request(target.address, &format!("{PATH}?EIO=4&transport=websocket"), &[]).into_bytes();
        for number in 0..count {
            bytes.extend(masked(TEXT, format!("4{number}").as_bytes()));
        }
        stream.write_all(&bytes).await.expect("sent");
        let mut websocket = WebSocket::upgraded(stream).await.expect("an upgrade");
        assert!(matches!(websocket.next().await, Frame::Text(opening) if opening.starts_with("0{")));
        for number in 0..count {
            assert_eq!(websocket.message().await, format!("4{number}"));
        }
    }
    let sid = open_polling(target.address, PATH).await;
    let mut stream = TcpStream::connect(target.address).await.expect("connected");
    let upgrade = format!("{PATH}?EIO=4&transport=websocket&sid={sid}");
    let mut bytes = upgrade_request(target.address, &upgrade, &[]).into_bytes();
    for packet in ["2probe", "5", "4first", "4second"] {
        bytes.extend(masked(TEXT, packet.as_bytes()));
    }
    stream.write_all(&bytes).await.expect("sent");
    let mut websocket = WebSocket::upgraded(stream).await.expect("an upgrade");
    for expected in ["3probe", "4first", "4second"] {
        assert_eq!(websocket.message().await, expected);
    }
    drop(websocket);
    target.assert_unharmed().await;
}

#[tokio::test]
async fn of_two_parallel_upgrades_one_carries_the_session() {
    let target = Target::engine().await;
    let to = target.address;
    for _ in 0..20 {
        let sid = open_polling(to, PATH).await;
        let upgrade = format!("{PATH}?EIO=4&transport=websocket&sid={sid}");
        let (mut one, mut other) = tokio::join!(WebSocket::open(to, &upgrade), WebSocket::open(to, &upgrade));
        for websocket in [&mut one, &mut other] {
            for packet in ["2probe", "5", "4mine"] {
                websocket.text(packet).await;
            }
        }
        let mut carried = 0;
        for websocket in [&mut one, &mut other] {
            loop {
                match websocket.data().await {
                    Frame::Text(text) if text == "4mine" => {
                        carried += 1;
                        break;
                    }
                    Frame::Text(text) => assert_eq!(text, "3probe"),
                    Frame::Close(_) | Frame::End => break,
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(carried, 1);
    }
    target.assert_unharmed().await;
}

#[tokio::test]
async fn a_second_websocket_on_an_upgraded_session_is_closed() {
    let target = Target::engine().await;
    let to = target.address;
    let sid = open_polling(to, PATH).await;
    let upgrade = format!("{PATH}?EIO=4&transport=websocket&sid={sid}");
    let mut first = WebSocket::open(to, &upgrade).await;
    first.text("2probe").await;
    assert_eq!(first.message().await, "3probe");
    first.text("5").await;
    first.text("4upgraded").await;
    assert_eq!(first.message().await, "4upgraded");
    for words in [&[][..], &["2probe", "5", "4stolen"]] {
        let mut second = WebSocket::open(to, &upgrade).await;
        for word in words {
            second.text(word).await;
        }
        assert!(matches!(second.refused().await, Some(1008) | None));
    }
    first.text("4mine").await;
    assert_eq!(first.message().await, "4mine");
    drop(first);
    target.assert_unharmed().await;
}

/// Clients that connect, say something and are gone: nothing of them stays.
#[tokio::test]
async fn clients_that_come_and_go_leave_nothing() {
    let long = std::env::var_os("LEXCHAT_TEST_LONG").is_some();
    let (rounds, crowd) = if long { (1000, 100) } else { (30, 50) };
    let target = Target::socket().await;
    let to = target.address;
    for round in 0..rounds {
        let all = (0..crowd).map(|number| async move {
            if (round + number) % 5 == 0 {
                let sid = open_polling(to, "/socket.io/").await;
                let poll = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
                post(to, &poll, "40\u{1e}42[\"message\",1]\u{1e}1").await;
                return;
            }
            let mut websocket = open_websocket(to, "/socket.io/").await;
            websocket.text("40").await;
            websocket.text(r#"421["message-with-ack",1]"#).await;
            if (round + number) % 2 == 0 {
                reset(websocket.stream);
            }
        });
        let tasks: Vec<_> = all.map(tokio::spawn).collect();
        for task in tasks {
            task.await.expect("served");
        }
    }
    target.assert_unharmed().await;
}

#[tokio::test]
async fn of_the_subprotocols_offered_the_first_is_chosen() {
    let target = Target::engine().await;
    let handshake = format!("{PATH}?EIO=4&transport=websocket");
    for (offered, chosen) in
        [(&["v1.chat, v2.chat"][..], "v1.chat"), (&["a", "b"], "a"), (&["graphql-ws"], "graphql-ws")]
    {
        let headers: Vec<(&str, &str)> = offered.iter().map(|list| ("Sec-WebSocket-Protocol", *list)).collect();
        let websocket = WebSocket::try_open(target.address, &handshake, &headers).await.expect("an upgrade");
        assert_eq!(websocket.head.header("sec-websocket-protocol"), Some(chosen));
    }
    let none = WebSocket::try_open(target.address, &handshake, &[]).await.expect("an upgrade");
    assert_eq!(none.head.header("sec-websocket-protocol"), None);
    for list in ["a,,b", "a, a", "a b", "", "(a)"] {
        let refused = WebSocket::try_open(target.address, &handshake, &[("Sec-WebSocket-Protocol", list)]).await;
        assert_eq!(refused.err().map(|reply| reply.status), Some(400), "{list:?}");
    }
    target.assert_unharmed().await;
}

/// The protocol's own header with nothing in it, at length.
#[tokio::test]
async fn a_long_list_of_subprotocols_is_refused() {
    let target = Target::engine().await;
    let spaces = " ".repeat(50_000);
    let handshake = format!("{PATH}?EIO=4&transport=websocket");
    for list in [format!("a{spaces}b"), format!("a,{spaces}b"), "a,".repeat(4000)] {
        let request = upgrade_request(target.address, &handshake, &[("Sec-WebSocket-Protocol", &list)]);
        let answer = talk(target.address, request.replace("keep-alive, ", "").as_bytes()).await;
        let status = String::from_utf8_lossy(&answer[..answer.len().min(12)]).into_owned();
        assert!(["HTTP/1.1 400", "HTTP/1.1 431"].contains(&status.as_str()), "{status}");
    }
    target.assert_unharmed().await;
}

/// Closes so that the other side gets a reset.
pub(crate) fn reset(stream: TcpStream) {
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}
