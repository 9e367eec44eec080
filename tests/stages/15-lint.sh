# cargo clippy and cargo doc, warnings are errors; cargo deny where it is installed
needs() { need_cargo && cargo clippy --version || { echo "needs clippy (rustup component add clippy)"; return 1; }; }
build() {
  limited 2400 cargo clippy --all-targets --quiet -- -D warnings || return
  RUSTDOCFLAGS="-D warnings" limited 1200 cargo doc --no-deps --quiet || return
  # It takes longer to build than all the rest here; what it would find in the lock file tests/it/security/dependencies.rs
  # looks for too, but for the advisories of the day.
  ! cargo deny --version >/dev/null 2>&1 || cargo deny --offline --all-features check bans licenses sources
}
