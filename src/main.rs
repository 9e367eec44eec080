//! Parse, start logging, run one subcommand, print the error chain, exit.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use lexchat::app::{App, StartError};
use lexchat::cli::{Cli, Command, LogFormat, Logs, Serve};
use lexchat::config::{self, Config};
use tracing_subscriber::EnvFilter;

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
    match command {
        Command::Serve(serve) => self::serve(&serve),
        _ => Ok(()),
    }
}

fn serve(serve: &Serve) -> Result<(), Failure> {
    start_logging(&serve.logs)?;
    let config = Config::new(serve).map_err(|error| match error {
        config::Error::Usage { .. } => (USAGE, error.into()),
        _ => (REFUSED, error.into()),
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| (FAILED, e.into()))?;
    runtime.block_on(async {
        let app = App::start(config.clone()).await.map_err(|error| start_failure(error, &config))?;
        println!("lexchat {} on http://localhost:{}", env!("CARGO_PKG_VERSION"), app.addr().port());
        let failure = tokio::select! {
            () = asked_to_stop() => None,
            failure = app.failed() => Some(failure),
        };
        app.stop().await;
        failure.map_or(Ok(()), |failure| Err((FAILED, failure.into())))
    })
}

fn start_failure(error: StartError, config: &Config) -> Failure {
    match error {
        StartError::Bind(error) if error.is_taken() => {
            let port = config.listen.port();
            let text = format!(
                "port {port} is taken by another program; choose another one with --listen localhost:{}",
                port.wrapping_add(1)
            );
            (FAILED, text.into())
        }
        StartError::Database(_) => (REFUSED, error.into()),
        _ => (FAILED, error.into()),
    }
}

async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminated = async {
            match signal(SignalKind::terminate()) {
                Ok(mut signal) => signal.recv().await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminated => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

fn start_logging(logs: &Logs) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&logs.log).map_err(|error| (USAGE, format!("--log: {error}").into()))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match logs.log_format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
    Ok(())
}
