# the real binary killed, starved, cut off and flooded
# Without root, strace and the like single tests are left out; they say so.
needs() {
  need_cargo || return
  need strace strace; need faketime faketime; need mkfs.xfs xfsprogs; need mkfs.ext4 e2fsprogs; need setpriv util-linux
  true
}
run() { limited 1800 tests/faults/run; }
