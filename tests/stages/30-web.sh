# the page's pure logic, in Node
shares=true
needs() { need_node; }
run() { limited 300 tests/web/run; }
