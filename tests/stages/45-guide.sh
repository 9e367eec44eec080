# the examples of docs/GUIDE.md, run as they stand
shares=true
needs() { need_cargo && need_node; }
run() { with_binary limited 600 tests/guide/run; }
