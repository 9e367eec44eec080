# cargo test: unit, layers, protocol, model, integration, security
# Without strace, promtool, systemd-analyze or root a few single tests are left out; they are named.
needs() { need_cargo && { need strace strace; need promtool prometheus; need systemd-analyze systemd; true; }; }
build() { limited 2400 cargo test --quiet --no-run; }
run() {
  local left_out=target/faults/not-run failed=0
  rm -f "$left_out"
  limited 2400 cargo test --quiet --no-fail-fast || failed=1
  [ ! -s "$left_out" ] || sort -u "$left_out"
  return "$failed"
}
