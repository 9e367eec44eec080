# cargo fmt --check
needs() { need_cargo && cargo fmt --version || { echo "needs rustfmt (rustup component add rustfmt)"; return 1; }; }
run() { cargo fmt --check; }
