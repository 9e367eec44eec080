//! Parse, start logging, run one subcommand, print the error chain, exit.

use std::error::Error;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use lexchat::app::{App, StartError, Started};
use lexchat::cli::{self, Cli, Command, LogFormat, Logs, Serve, UserCommand};
use lexchat::config::{self, Config};
use lexchat::operator::{self, NewUser, Operator};
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
        Command::User(user) => look_after(user.command),
        Command::SetupLink(typed) => with_operator(&typed.database, async |operator| {
            println!("{}", operator.setup_link(&typed.public_url).await?);
            Ok(())
        }),
        Command::Backup(typed) => operator::backup(&config::database_of(&typed.database), &typed.file).map_err(refusal),
        Command::Restore(typed) => {
            operator::restore(&typed.file, &config::database_of(&typed.database)).map_err(refusal)
        }
        Command::Check(typed) => check(&typed),
        Command::Healthcheck(typed) => {
            let reason = operator::unreadiness(&typed.listen).map_err(|wrong| (USAGE, wrong.into()))?;
            reason.map_or(Ok(()), |reason| Err((FAILED, reason.into())))
        }
        Command::Openapi => {
            print!("{}", operator::openapi());
            Ok(())
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "lexchat", &mut std::io::stdout());
            Ok(())
        }
    }
}

fn look_after(command: UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Add(typed) => {
            let cli::UserAdd { email, name, role, specialty, .. } = typed;
            let password = password(&typed.password)?;
            with_operator(&typed.database, async |operator| {
                operator.add_user(NewUser { name, email, role, specialty, password }).await
            })
        }
        UserCommand::List(typed) => with_operator(&typed.database, async |operator| {
            let people = operator.list_users().await?;
            if typed.json {
                println!("{}", serde_json::to_string_pretty(&people).expect("plain data"));
            } else {
                people.iter().for_each(|person| println!("{}", person.line()));
            }
            Ok(())
        }),
        UserCommand::Passwd(typed) => {
            let password = password(&typed.password)?;
            with_operator(&typed.database, async |operator| operator.set_password(&typed.email, password).await)
        }
        UserCommand::Disable(typed) => {
            with_operator(&typed.database, async |operator| operator.set_active(&typed.email, false).await)
        }
        UserCommand::Enable(typed) => {
            with_operator(&typed.database, async |operator| operator.set_active(&typed.email, true).await)
        }
    }
}

fn with_operator(
    database: &cli::Database,
    work: impl AsyncFnOnce(&Operator) -> Result<(), operator::Error>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| (FAILED, e.into()))?;
    runtime.block_on(async {
        let operator = Operator::open(&config::database_of(database)).map_err(refusal)?;
        let done = work(&operator).await;
        operator.close().await;
        done.map_err(refusal)
    })
}

fn refusal(error: operator::Error) -> Failure {
    let code = if matches!(error, operator::Error::Database(_)) { REFUSED } else { FAILED };
    (code, error.into())
}

fn check(typed: &cli::Check) -> Result<(), Failure> {
    let findings = operator::check(&config::database_of(&typed.database)).map_err(refusal)?;
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    if typed.json {
        println!("{}", serde_json::json!({"sound": lines.is_empty(), "findings": lines}));
    } else {
        lines.iter().for_each(|line| println!("{line}"));
    }
    match lines.len() {
        0 if typed.json => Ok(()),
        0 => {
            println!("sound");
            Ok(())
        }
        count => Err((FAILED, format!("{count} findings: restore a backup (lexchat restore)").into())),
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
        // Listened for from the very start: who asks to stop while it starts is heard as well.
        let asked_to_stop = asked_to_stop();
        let app = match App::start(config.clone()).await {
            Ok(app) => app,
            Err(error) if serve.open && operator::is_running(&config.listen) => {
                tracing::debug!(%error, "another one is running");
                println!("lexchat is running already: http://localhost:{}/", config.listen.port());
                open_browser(&format!("http://localhost:{}/", config.listen.port()));
                return Ok(());
            }
            Err(error) => return Err(start_failure(error, &config)),
        };
        print_start(&app.started, &config);
        if serve.open {
            open_browser(&app.started.url);
        }
        let failure = tokio::select! {
            () = asked_to_stop => None,
            failure = app.failed() => Some(failure),
        };
        app.stop().await;
        failure.map_or(Ok(()), |failure| Err((FAILED, failure.into())))
    })
}

/// At most eight lines.
fn print_start(started: &Started, config: &Config) {
    let made = if started.created { " (new)" } else { "" };
    println!("lexchat {}", env!("CARGO_PKG_VERSION"));
    println!("  page      {}/", started.url);
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

/// A password, from standard input if that was asked for, else from the terminal without showing it.
fn password(typed: &cli::Password) -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if typed.password_stdin {
        return read_line().map_err(|error| (FAILED, error.into()));
    }
    if !stdin.is_terminal() {
        return Err((USAGE, "there is no terminal to ask for the password: use --password-stdin".into()));
    }
    eprint!("Password: ");
    std::io::stderr().flush().map_err(|error| (FAILED, error.into()))?;
    let read = read_hidden(&stdin);
    eprintln!();
    read.map_err(|error| (FAILED, error.into()))
}

fn read_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(unix)]
fn read_hidden(stdin: &std::io::Stdin) -> std::io::Result<String> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let shown = tcgetattr(stdin)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(stdin, OptionalActions::Flush, &hidden)?;
    let line = read_line();
    tcsetattr(stdin, OptionalActions::Flush, &shown)?;
    line
}

#[cfg(not(unix))]
fn read_hidden(_stdin: &std::io::Stdin) -> std::io::Result<String> {
    read_line()
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
