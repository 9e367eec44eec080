# the configurations of docs/deploy in nginx, Caddy, HAProxy and Apache
shares=true
needs() {
  need_cargo && need_node && need python3 python3 && need openssl openssl || return
  need nginx nginx-light && need caddy caddy && need haproxy haproxy && need apache2 apache2 && need ip iproute2
}
run() { with_binary limited 600 tests/proxies/run; }
