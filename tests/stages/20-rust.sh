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
# Cargo names the targets that failed, and each of them its tests.
repeat() {
  local log=$logs/rust.log again=$logs/rust.again.log targets tests
  read -ra targets < <(sed -nE 's/^ +`(--[a-z]+( [a-z_]+)?)`$/\1/p' "$log" | sort -u | tr '\n' ' ')
  mapfile -t tests < <(sed -nE 's/^    ([a-z0-9_]+(::[a-z0-9_]+)*)$/\1/p' "$log" | sort -u)
  if [ ${#targets[@]} = 0 ] || [ ${#tests[@]} = 0 ]; then run; return; fi
  limited 1200 cargo test "${targets[@]}" -- --exact "${tests[@]}" >"$again" 2>&1 || { cat "$again"; return 1; }
  cat "$again"
  # A name that was misread would be no test, and pass.
  [ "$(grep -cE '^test .* \.\.\. ok$' "$again")" -ge ${#tests[@]} ] || run
}
