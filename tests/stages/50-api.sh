# made-up requests against what the OpenAPI document promises
shares=true
needs() { need_cargo && need_python; }
run() { with_binary limited 900 tests/api/run; }
