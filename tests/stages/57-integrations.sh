# mail, pushes, payments and calls against what others wrote
shares=true
needs() {
  need_cargo && need_python || return
  export DEBIAN_FRONTEND=noninteractive
  need postfix postfix && need saslpasswd2 sasl2-bin && need prosody prosody && need turnserver coturn || return
  need curl curl && need jq jq
}
run() { with_binary limited 600 tests/integrations/run; }
