# protocol clients that others wrote
# The Rust client links the system's OpenSSL.
shares=true
needs() {
  need_cargo && need_node && need_python && need pkg-config pkg-config || return
  pkg-config --exists openssl || install_packages libssl-dev || true
}
run() { limited 1200 tests/peers/run; }
