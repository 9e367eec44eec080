//! Parse, start logging, run one subcommand, print the error chain, exit.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic where nobody reads; see `console`")]

use std::error::Error;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::CommandFactory as _;
use lexchat::app::{App, StartError, Started};
use lexchat::cli::serve::Serve;
use lexchat::cli::{Cli, Command};
use lexchat::config::{self, Config};
use lexchat::console::{complain, say};
use lexchat::store::database::migrate::Migrated;
use lexchat::{console, logging, operator, service};

/// What one thread allocates another frees, all the time: see docs/ARCHITECTURE.md.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A failure while running.
const FAILED: u8 = 1;
/// How long what runs beside a server may take to end after it: nobody waits for that any more.
const LAST_WORK_WITHIN: Duration = Duration::from_millis(500);
/// Wrong usage.
const USAGE: u8 = 2;
/// The configuration or the database was refused.
const REFUSED: u8 = 3;

type Failure = (u8, Box<dyn Error>);

fn main() -> ExitCode {
    match run(Cli::read().typed()) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, error)) => {
            complain(&chain(&*error));
            ExitCode::from(code)
        }
    }
}

/// An error and what is behind it, a line each.
fn chain(error: &dyn Error) -> String {
    let mut text = format!("lexchat: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("\n  because: {error}"));
        cause = error.source();
    }
    text
}

fn run(command: Command) -> Result<(), Failure> {
    let done = match command {
        Command::Serve(serve) => return self::serve(&serve),
        Command::User(user) => operator::user(user.command),
        Command::SetupLink(typed) => operator::setup_link(&typed),
        Command::RotateKeys(database) => operator::rotate_keys(&database),
        Command::Backup(typed) => operator::backup(&typed),
        Command::Restore(typed) => operator::restore(&typed),
        Command::Check(typed) => operator::check(&typed),
        Command::Healthcheck(typed) => operator::healthcheck(&typed),
        Command::Doctor(typed) => operator::doctor(&typed),
        Command::Test(typed) => operator::test::test(typed.command),
        Command::Openapi => {
            operator::openapi();
            Ok(())
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "lexchat", &mut script);
            console::print(&script);
            Ok(())
        }
    };
    let done = done.and_then(|()| match console::lost() {
        Some(error) => Err(operator::Error::Output(error)),
        None => Ok(()),
    });
    done.map_err(|error| match error {
        operator::Error::Usage(_) => (USAGE, error.into()),
        operator::Error::Database(_) => (REFUSED, error.into()),
        operator::Error::Copy(ref copy) if copy.is_refusal() => (REFUSED, error.into()),
        _ => (FAILED, error.into()),
    })
}

fn serve(serve: &Serve) -> Result<(), Failure> {
    let _written_at_the_end = logging::start(&serve.logs).map_err(|wrong| (USAGE, format!("--log: {wrong}").into()))?;
    let sockets = service::sockets().map_err(|error| (FAILED, error.into()))?;
    let addresses = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    let config = Config::new_on(serve, addresses).map_err(|error| match error {
        config::error::Error::Usage { .. } => (USAGE, error.into()),
        _ => (REFUSED, error.into()),
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| (FAILED, e.into()))?;
    let ended = runtime.block_on(serve_until_told(serve, config, sockets));
    // Left to itself it would wait for ever for a file that cannot be read to its end.
    runtime.shutdown_timeout(LAST_WORK_WITHIN);
    ended
}

async fn serve_until_told(serve: &Serve, config: Config, sockets: Vec<TcpListener>) -> Result<(), Failure> {
    // Listened for from the very start: who asks to stop while it starts is heard as well.
    let asked_to_stop = asked_to_stop().map_err(|error| (FAILED, error.into()))?;
    outlive_file_limits().map_err(|error| (FAILED, error.into()))?;
    let mut asked_to_reload = Reloads::listen().map_err(|error| (FAILED, error.into()))?;
    let app = match App::start_on(config.clone(), sockets).await {
        Ok(app) => app,
        Err(error) => {
            let running = if serve.open { operator::find_running(&config.listen) } else { None };
            let Some(url) = running else { return Err(start_failure(error, &config)) };
            tracing::debug!(%error, "another one is running");
            say(&format!("lexchat is running already: {url}"));
            open_browser(&url);
            return Ok(());
        }
    };
    print_start(&app.started, &config);
    service::ready();
    if serve.open {
        open_browser(&app.started.url);
    }
    let failure = tokio::select! {
        () = asked_to_stop => None,
        failure = app.failed() => Some(failure),
        () = async { loop { asked_to_reload.next().await; app.reload_certificate().await; } } => None,
        () = service::stay_alive(|| app.is_well()) => None,
    };
    service::stopping();
    app.stop().await;
    failure.map_or(Ok(()), |failure| Err((FAILED, failure.into())))
}

/// At most eight lines.
fn print_start(started: &Started, config: &Config) {
    let made = if started.created { " (new)" } else { "" };
    say(concat!("lexchat ", env!("CARGO_PKG_VERSION")));
    say(&format!("  page      {}/", started.url));
    if !config.listen.is_loopback() && config.public_url.is_none() {
        say("            invitations and links name this address; --public-url says the one that people use");
    }
    say(&format!("  database  {}{made}", absolute(&config.database).display()));
    if let Some(Migrated { from, to, copy }) = &started.migrated {
        say(&format!("            brought from version {from} to {to}; as it was before: {}", copy.display()));
    }
    if started.demo_accounts {
        say("  demo      accounts are active: client1@example.com, juriste1@example.com … with Pass123!");
    }
    if let Some(link) = &started.setup_link {
        say(&format!("  setup     {link}"));
        say("            opens the first administrator's account: once, within 30 minutes");
    }
    say("  Ctrl-C stops it.");
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Shows the page. Where there is no browser to be opened, the start-up text says where to look.
fn open_browser(url: &str) {
    let (program, words): (&str, &[&str]) = if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let null = std::process::Stdio::null;
    let started = std::process::Command::new(program).args(words).arg(url).stdout(null()).stderr(null()).spawn();
    match started {
        Ok(mut browser) => drop(std::thread::spawn(move || browser.wait())),
        Err(error) => tracing::debug!(%error, "no browser could be opened"),
    }
}

fn start_failure(error: StartError, config: &Config) -> Failure {
    match error {
        StartError::Bind(error) if error.is_taken() => {
            let (host, port) = (config.listen.host(), config.listen.port());
            let text = format!(
                "port {port} is taken by another program; choose another one with --listen {host}:{}",
                port.wrapping_add(1)
            );
            (FAILED, text.into())
        }
        StartError::Database(_) | StartError::DemoAccounts(_) => (REFUSED, error.into()),
        _ => (FAILED, error.into()),
    }
}

/// Listens for Ctrl-C and the system's wish that the process end; the future ends when one comes.
#[cfg(unix)]
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

/// A file that may not grow is for storage to deal with: without this, the system would end the process.
#[cfg(unix)]
fn outlive_file_limits() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // Listening once is enough: whoever listens has taken the signal's place for good.
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

#[cfg(not(unix))]
fn outlive_file_limits() -> std::io::Result<()> {
    Ok(())
}

/// The signals that ask for the certificate to be read again, and those that ask for nothing: each would otherwise end
/// the process without a goodbye.
#[cfg(unix)]
struct Reloads {
    hung_up: tokio::signal::unix::Signal,
    meaningless: [tokio::signal::unix::Signal; 2],
}

#[cfg(unix)]
impl Reloads {
    fn listen() -> std::io::Result<Reloads> {
        use tokio::signal::unix::{SignalKind, signal};
        let meaningless = [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?];
        Ok(Reloads { hung_up: signal(SignalKind::hangup())?, meaningless })
    }

    /// Waits for the next SIGHUP.
    async fn next(&mut self) {
        let [first, second] = &mut self.meaningless;
        loop {
            tokio::select! {
                _ = self.hung_up.recv() => return,
                _ = first.recv() => tracing::debug!("SIGUSR1 means nothing here"),
                _ = second.recv() => tracing::debug!("SIGUSR2 means nothing here"),
            }
        }
    }
}

/// There are no such signals.
#[cfg(windows)]
struct Reloads;

#[cfg(windows)]
impl Reloads {
    fn listen() -> std::io::Result<Reloads> {
        Ok(Reloads)
    }

    async fn next(&mut self) {
        std::future::pending().await
    }
}

/// Listens for Ctrl-C and for the console's end; the future ends when one comes.
#[cfg(windows)]
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::windows::{ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut interrupted, mut closed, mut ended) = (ctrl_c()?, ctrl_close()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = closed.recv() => {}
            _ = ended.recv() => {}
        }
    })
}
