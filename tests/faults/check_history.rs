//! Judges a history that a fault test left in `target/faults`: `cargo run --example check_history FILE…`.
//!
//! Prints every fault and exits 1 if there is one.

use std::path::Path;
use std::process::ExitCode;

#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared with the tests")]
mod history;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        eprintln!("usage: check_history FILE…");
        return ExitCode::from(2);
    }
    let mut sound = true;
    for file in files {
        match history::record::load(Path::new(&file)) {
            Ok(records) => {
                let faults = history::checker::check(&records);
                faults.iter().for_each(|fault| println!("{file}: {fault}"));
                println!("{file}: {} records, {} faults", records.len(), faults.len());
                sound &= faults.is_empty();
            }
            Err(error) => {
                eprintln!("{file}: {error}");
                sound = false;
            }
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
