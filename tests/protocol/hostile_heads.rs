//! HTTP that means one thing to a proxy and another to a server: never a second request out of a body.

use crate::fixture::{Target, open_polling};
use crate::support::http::talk;

const PATH: &str = "/engine.io/";

/// A request that must not be found inside another one: it would open a session.
const SMUGGLED: &str = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n";

fn opened(answer: &[u8]) -> bool {
    answer.windows(6).any(|window| window == b"\"sid\":")
}

fn status(answer: &[u8]) -> u16 {
    let line = String::from_utf8_lossy(&answer[..answer.len().min(12)]).into_owned();
    line.rsplit(' ').next().and_then(|code| code.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn ambiguous_bodies_are_refused() {
    let target = Target::engine().await;
    let heads = [
        ("two encodings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
        ("encoding not last", "Transfer-Encoding: chunked, identity\r\n"),
        ("unknown encoding", "Transfer-Encoding: xchunked\r\n"),
        ("length and encoding", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ("encoding and length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        ("signed length", "Content-Length: +5\r\n"),
        ("negative length", "Content-Length: -5\r\n"),
        ("listed length", "Content-Length: 5,5\r\n"),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("hexadecimal length", "Content-Length: 0x5\r\n"),
        ("huge length", "Content-Length: 18446744073709551616\r\n"),
    ];
    for (name, head) in heads {
        // A session that lives: nothing but the head is wrong.
        let sid = open_polling(target.address, PATH).await;
        let request = format!(
            "POST {PATH}?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n{head}\r\n2\r\n4x\r\n0\r\n\r\n{SMUGGLED}"
        );
        let answer = talk(target.address, request.as_bytes()).await;
        let shown = String::from_utf8_lossy(&answer);
        assert!(!opened(&answer), "{name}: {shown:?}");
        // With both, the encoding counts and the connection ends behind the body (RFC 9112, 6.3).
        let expected = if name.contains(" and ") { 200 } else { 400 };
        assert_eq!(status(&answer), expected, "{name}: {shown:?}");
    }
    target.assert_unharmed().await;
}

/// What a proxy that believes the length would have taken for the body is no request here.
#[tokio::test]
async fn what_lies_between_a_length_and_an_encoding_is_no_request() {
    let target = Target::engine().await;
    let hidden = format!("2\r\n4x\r\n0\r\n\r\n{SMUGGLED}");
    let length = format!("Content-Length: {}\r\n", hidden.len());
    for head in [format!("{length}Transfer-Encoding: chunked\r\n"), format!("Transfer-Encoding: chunked\r\n{length}")] {
        let sid = open_polling(target.address, PATH).await;
        let request =
            format!("POST {PATH}?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n{head}\r\n{hidden}");
        let answer = talk(target.address, request.as_bytes()).await;
        assert_eq!(status(&answer), 200);
        assert!(!opened(&answer), "{:?}", String::from_utf8_lossy(&answer));
    }
    target.assert_unharmed().await;
}

#[tokio::test]
async fn bad_chunks_end_the_connection() {
    let target = Target::engine().await;
    for chunk in
        ["fffffffffffffffff\r\n", "ffffffffffffffff\r\n", "-1\r\n", "5;\n", "x\r\n", "5\r\nabcdeXX", "\r\n0\r\n\r\n"]
    {
        let sid = open_polling(target.address, PATH).await;
        let request = format!(
            "POST {PATH}?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{SMUGGLED}"
        );
        let answer = talk(target.address, request.as_bytes()).await;
        assert!(!opened(&answer), "{chunk:?}: {:?}", String::from_utf8_lossy(&answer));
    }
    target.assert_unharmed().await;
}

#[tokio::test]
async fn a_body_behind_a_get_is_a_body() {
    let target = Target::engine().await;
    let inner = SMUGGLED;
    let request = format!(
        "GET {PATH}?EIO=3&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{inner}",
        inner.len()
    );
    let answer = talk(target.address, request.as_bytes()).await;
    assert_eq!(status(&answer), 400);
    assert!(!opened(&answer), "{:?}", String::from_utf8_lossy(&answer));
    target.assert_unharmed().await;
}

#[tokio::test]
async fn lines_that_end_in_a_bare_newline_smuggle_nothing() {
    let target = Target::engine().await;
    let request = format!(
        "GET {PATH}?EIO=3&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: a\n\nContent-Length: 0\r\n\r\n{SMUGGLED}"
    );
    let answer = talk(target.address, request.as_bytes()).await;
    assert_eq!(status(&answer), 400);
    assert!(!opened(&answer), "{:?}", String::from_utf8_lossy(&answer));
    target.assert_unharmed().await;
}

/// CVE-2024-37890 and its kin.
#[tokio::test]
async fn heads_with_thousands_of_headers_are_refused() {
    let target = Target::engine().await;
    let many: String = (0..2000).map(|number| format!("X-{number}: 1\r\n")).collect();
    let long = format!("X: {}\r\n", "x".repeat(100_000));
    for headers in [many, long] {
        let request = format!("GET {PATH}?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let answer = talk(target.address, request.as_bytes()).await;
        assert!(matches!(status(&answer), 400 | 431), "{:?}", String::from_utf8_lossy(&answer));
        assert!(!opened(&answer));
    }
    target.assert_unharmed().await;
}
