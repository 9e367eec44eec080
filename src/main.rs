//! Parse, start logging, run one subcommand, print the error chain, exit.

use std::error::Error;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use lexchat::app::{App, StartError, Started};
use lexchat::cli::{Cli, Command, LogFormat, Logs, Serve};
use lexchat::config::{self, Config};
use lexchat::operator;
use lexchat::service;
use tracing_subscriber::EnvFilter;

/// What one thread allocates another frees, all the time: see docs/ARCHITECTURE.md.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A failure while running.
const FAILED: u8 = 1;
/// Wrong usage.
const USAGE: u8 = 2;
/// The configuration or the database was refused.
const REFUSED: u8 = 3;

type Failure = (u8, Box<dyn Error>);

fn main() -> ExitCode {
    match run(Cli::parse().typed()) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, error)) => {
            eprintln!("lexchat: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::from(code)
        }
    }
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
        Command::Openapi => {
            operator::openapi();
            Ok(())
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "lexchat", &mut std::io::stdout());
            Ok(())
        }
    };
    done.map_err(|error| match error {
        operator::Error::Usage(_) => (USAGE, error.into()),
        operator::Error::Database(_) => (REFUSED, error.into()),
        operator::Error::Copy(ref copy) if copy.is_refusal() => (REFUSED, error.into()),
        _ => (FAILED, error.into()),
    })
}

fn serve(serve: &Serve) -> Result<(), Failure> {
    start_logging(&serve.logs)?;
    let config = Config::new(serve).map_err(|error| match error {
        config::Error::Usage { .. } => (USAGE, error.into()),
        _ => (REFUSED, error.into()),
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| (FAILED, e.into()))?;
    runtime.block_on(async {
        // Listened for from the very start: who asks to stop while it starts is heard as well.
        let asked_to_stop = asked_to_stop().map_err(|error| (FAILED, error.into()))?;
        let app = match App::start(config.clone()).await {
            Ok(app) => app,
            Err(error) => {
                let running = if serve.open { operator::find_running(&config.listen) } else { None };
                let Some(url) = running else { return Err(start_failure(error, &config)) };
                tracing::debug!(%error, "another one is running");
                println!("lexchat is running already: {url}");
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
            () = service::stay_alive(|| app.is_well()) => None,
        };
        service::stopping();
        app.stop().await;
        failure.map_or(Ok(()), |failure| Err((FAILED, failure.into())))
    })
}

/// At most eight lines.
fn print_start(started: &Started, config: &Config) {
    let made = if started.created { " (new)" } else { "" };
    println!("lexchat {}", env!("CARGO_PKG_VERSION"));
    println!("  page      {}/", started.url);
    if !config.listen.is_loopback() && config.public_url.is_none() {
        println!("            invitations and links name this address; --public-url says the one that people use");
    }
    println!("  database  {}{made}", absolute(&config.database).display());
    if started.demo_accounts {
        println!("  demo      accounts are active: client1@example.com, juriste1@example.com … with Pass123!");
    }
    if let Some(link) = &started.setup_link {
        println!("  setup     {link}");
        println!("            opens the first administrator's account: once, within 30 minutes");
    }
    println!("  Ctrl-C stops it.");
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

fn start_logging(logs: &Logs) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&logs.log).map_err(|error| (USAGE, format!("--log: {error}").into()))?;
    // It writes whole frames: tokens and messages.
    let filter = filter.add_directive("tungstenite=warn".parse().expect("a directive"));
    // Colours are for people who look at it, not for files and journals.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    match logs.log_format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
    Ok(())
}
