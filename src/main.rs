//! Parse, start logging, run one subcommand, print the error chain, exit.

fn main() {}
