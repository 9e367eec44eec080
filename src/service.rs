//! The service manager, where there is one: it hears when the server is ready, that it goes on being well, and that it
//! stops; and it may hand over sockets that it listens on. This is systemd's `Type=notify` with its watchdog and its
//! socket activation; without the manager's variables nothing happens.
//!
//! <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>
//! <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>

use std::net::TcpListener;

/// The sockets that the manager listens on for this process. With them a restart refuses no connection: those that come
/// meanwhile wait in the kernel's queue.
///
/// # Errors
/// When one of them is no TCP socket.
pub fn sockets() -> std::io::Result<Vec<TcpListener>> {
    imp::sockets()
}

/// Says that the server answers.
pub fn ready() {
    imp::say(imp::State::Ready);
}

/// Says that the server is stopping, so that its end is no surprise.
pub fn stopping() {
    imp::say(imp::State::Stopping);
}

/// Says that the server lives, twice in each time span that the manager waits, for as long as it `is_well`. A server
/// that is not, or whose tasks no longer run, falls silent and is started anew. Never ends.
pub async fn stay_alive(is_well: impl Fn() -> bool) {
    let Some(patience) = imp::patience() else { return std::future::pending().await };
    let mut ticks = tokio::time::interval(patience / 2);
    loop {
        ticks.tick().await;
        if is_well() {
            imp::say(imp::State::Watchdog);
        }
    }
}

#[cfg(unix)]
mod imp {
    use std::ffi::OsStr;
    use std::io;
    use std::net::TcpListener;
    use std::os::unix::ffi::OsStrExt as _;
    use std::time::Duration;

    use listenfd::ListenFd;

    pub(super) use sd_notify::NotifyState as State;

    pub(super) fn say(state: State<'_>) {
        let sent = match std::env::var_os("NOTIFY_SOCKET").as_deref().and_then(abstract_name) {
            Some(name) => say_to_abstract(name, &state),
            None => sd_notify::notify(&[state]),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the service manager cannot be reached");
        }
    }

    /// A socket without a file, as Linux has them. The library knows files only.
    fn abstract_name(address: &OsStr) -> Option<&[u8]> {
        address.as_bytes().strip_prefix(b"@")
    }

    #[cfg(target_os = "linux")]
    fn say_to_abstract(name: &[u8], state: &State<'_>) -> io::Result<()> {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixDatagram};
        let address = SocketAddr::from_abstract_name(name)?;
        UnixDatagram::unbound()?.send_to_addr(state.to_string().as_bytes(), &address).map(drop)
    }

    #[cfg(not(target_os = "linux"))]
    fn say_to_abstract(_name: &[u8], _state: &State<'_>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn patience() -> Option<Duration> {
        sd_notify::watchdog_enabled()
    }

    pub(super) fn sockets() -> io::Result<Vec<TcpListener>> {
        let mut handed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for place in 0..handed.len() {
            let socket = handed.take_tcp_listener(place).map_err(|cause| {
                io::Error::new(
                    cause.kind(),
                    format!("the service manager hands over a socket that is not TCP ({cause})"),
                )
            })?;
            if let Some(socket) = socket {
                socket.set_nonblocking(true)?;
                sockets.push(socket);
            }
        }
        Ok(sockets)
    }
}

#[cfg(not(unix))]
mod imp {
    use std::time::Duration;

    pub(super) enum State {
        Ready,
        Stopping,
        Watchdog,
    }

    pub(super) fn say(_state: State) {}

    pub(super) fn patience() -> Option<Duration> {
        None
    }

    pub(super) fn sockets() -> std::io::Result<Vec<std::net::TcpListener>> {
        Ok(Vec::new())
    }
}
