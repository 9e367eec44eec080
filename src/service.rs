//! The service manager, where there is one: told when the server is ready, that it goes on being well, and that it
//! stops. This is systemd's `Type=notify` with its watchdog; without the manager's variables nothing happens.
//!
//! <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>

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
    use std::time::Duration;

    pub(super) use sd_notify::NotifyState as State;

    pub(super) fn say(state: State<'_>) {
        if let Err(error) = sd_notify::notify(&[state]) {
            tracing::debug!(%error, "the service manager cannot be told");
        }
    }

    pub(super) fn patience() -> Option<Duration> {
        sd_notify::watchdog_enabled()
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
}
