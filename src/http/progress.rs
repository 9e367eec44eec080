//! A stream that is given up when the other side takes nothing of what is written to it for too long.
//!
//! Without it an answer that nobody reads would keep its connection, its place and whatever its body holds for ever. Any
//! byte taken is progress: a slow reader is none that stalls. WebSockets stand on the same streams.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream and how long a write to it may wait for room.
#[derive(Debug)]
pub struct Progressing<S> {
    stream: S,
    within: Duration,
    /// There while a write waits.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Progressing<S> {
    /// Writes to `stream` fail with [`io::ErrorKind::TimedOut`] when nothing could be written `within` this time.
    pub fn new(stream: S, within: Duration) -> Progressing<S> {
        Progressing { stream, within, deadline: None }
    }

    fn judge(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let within = self.within;
        ready!(self.deadline.get_or_insert_with(|| Box::pin(sleep(within))).as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other side reads nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Progressing<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Progressing<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use futures_util::stream;
    use http_body_util::{BodyExt as _, StreamBody};
    use hyper::Response;
    use hyper::body::Frame;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::mpsc;
    use tokio::time::{Instant, advance, timeout};

    use super::*;
    use crate::http::conversation::Settings;
    use crate::http::listener::{Listen, Running};

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_a_byte_now_and_then_is_waited_for_and_one_who_takes_none_is_not() {
        let within = Duration::from_secs(30);
        let (mut far, near) = tokio::io::duplex(1);
        let mut near = Progressing::new(near, within);
        let writer = tokio::spawn(async move { (near.write_all(&[7; 10]).await, Instant::now()) });
        for _ in 0..8 {
            advance(Duration::from_secs(29)).await;
            assert_eq!(far.read_u8().await.unwrap(), 7);
        }
        // The ninth byte is on its way; the tenth finds no room any more.
        let stalled = Instant::now();
        let (ended, at) = writer.await.unwrap();
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(at - stalled >= Duration::from_secs(29), "{:?}", at - stalled);
    }

    #[tokio::test]
    async fn a_download_that_nobody_reads_lets_go_of_what_it_holds() {
        let listen: Listen = "127.0.0.1:0".parse().unwrap();
        let listeners = listen.bind().unwrap();
        let address = listeners.addresses()[0];
        let settings = Settings { write_timeout: Duration::from_secs(1), ..Settings::default() };
        let (held, mut released) = mpsc::channel::<()>(1);
        let running = Running::start(listeners, settings, move |_, _| {
            let held = held.clone();
            async move {
                let endless = stream::repeat_with(move || {
                    let _held_by_the_body = &held;
                    Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0; 1 << 16])))
                });
                Response::new(StreamBody::new(endless).map_err(|never| match never {}).boxed_unsync())
            }
        })
        .unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        assert_ne!(client.read(&mut [0; 100]).await.unwrap(), 0, "it began");
        running.stop_accepting();
        timeout(Duration::from_secs(10), running.ended()).await.expect("the connection is cut");
        assert!(released.recv().await.is_none(), "and its body dropped");
    }
}
