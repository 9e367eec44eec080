# the parsers of the protocol layers, for a short time
shares=true
needs() {
  need_cargo && need g++ g++ || return
  cargo +nightly --version || { echo "needs the nightly toolchain (rustup toolchain install nightly)"; return 1; }
  cargo +nightly fuzz --version || again limited 900 cargo install --quiet --locked cargo-fuzz || { echo "needs cargo-fuzz"; return 1; }
}
run() { limited 900 fuzz/run; }
