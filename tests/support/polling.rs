//! A client of the long-polling transport that does one request at a time, by hand.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http::{self, Reply};

/// A polling session on the namespace `/chat`.
#[derive(Clone, Debug)]
pub struct Polling {
    to: SocketAddr,
    pub sid: String,
}

impl Polling {
    /// Shakes hands and connects to the namespace.
    pub async fn open(to: SocketAddr, token: &str) -> Polling {
        let session = Polling::shake_hands(to).await;
        session.post(&format!("40/chat,{}", json!({ "token": token }))).await.expect(200);
        session.poll_until(|packet| packet.starts_with("40/chat,")).await;
        session
    }

    /// The Engine.IO handshake alone.
    pub async fn shake_hands(to: SocketAddr) -> Polling {
        let reply = http::get(to, "/socket.io/?EIO=4&transport=polling").send().await.expect(200);
        let open: Value = serde_json::from_str(&reply.text()[1..]).expect("an open packet");
        Polling { to, sid: open["sid"].as_str().expect("a session id").to_owned() }
    }

    /// One poll as it comes back.
    pub async fn poll(&self) -> Reply {
        http::get(self.to, &self.path()).send().await
    }

    /// Posts packets as they are.
    pub async fn post(&self, packets: &str) -> Reply {
        let ask = http::ask(self.to, "POST", &self.path()).header("Content-Type", "text/plain;charset=UTF-8");
        ask.body(packets.as_bytes().to_vec()).send().await
    }

    /// Emits an event and waits for its ack.
    pub async fn ask(&self, name: &str, data: &Value) -> Value {
        self.post(&format!("42/chat,7{}", json!([name, data]))).await.expect(200);
        let packet = self.poll_until(|packet| packet.starts_with("43/chat,7[")).await;
        serde_json::from_str::<Value>(&packet["43/chat,7".len()..]).expect("JSON")[0].clone()
    }

    /// Polls, answering pings, until a packet fits.
    async fn poll_until(&self, fits: impl Fn(&str) -> bool) -> String {
        loop {
            let reply = self.poll().await.expect(200);
            for packet in reply.text().split('\x1e') {
                if packet == "2" {
                    self.post("3").await.expect(200);
                } else if fits(packet) {
                    return packet.to_owned();
                }
            }
        }
    }

    fn path(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)
    }
}
