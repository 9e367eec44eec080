# the official JavaScript clients against the real binary
shares=true
needs() { need_cargo && need_node; }
run() { with_binary limited 600 tests/clients/run; }
