//! The service manager hears when the real binary is ready, that it lives, and that it stops.
#![cfg(unix)]

use std::time::Duration;

use rustix::process::Signal;
use tokio::net::UnixDatagram;
use tokio::time::timeout;

use crate::support::server::Setup;

async fn hear(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let heard = timeout(Duration::from_secs(20), socket.recv(&mut bytes)).await.expect("a word within 20 s");
    String::from_utf8_lossy(&bytes[..heard.expect("a readable socket")]).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_ready_then_signs_of_life_then_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut server = Setup::new(folder.path().join("lexchat.db"))
        .environment("NOTIFY_SOCKET", path.to_str().unwrap())
        .environment("WATCHDOG_USEC", "200000")
        .spawn();
    assert_eq!(hear(&socket).await, "READY=1");
    for _ in 0..3 {
        assert_eq!(hear(&socket).await, "WATCHDOG=1");
    }
    server.signal(Signal::TERM);
    while hear(&socket).await != "STOPPING=1" {}
    let ended = server.ended_within(Duration::from_secs(10)).await.expect("an end within 10 s");
    assert!(ended.success());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_service_manager_without_a_file_is_told_too() {
    use std::os::linux::net::SocketAddrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let name = format!("lexchat-notify-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let socket = std::os::unix::net::UnixDatagram::bind_addr(&address).unwrap();
    socket.set_nonblocking(true).unwrap();
    let socket = UnixDatagram::from_std(socket).unwrap();
    let _server =
        Setup::new(folder.path().join("lexchat.db")).environment("NOTIFY_SOCKET", &format!("@{name}")).spawn();
    assert_eq!(hear(&socket).await, "READY=1");
}
