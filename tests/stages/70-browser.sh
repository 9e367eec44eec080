# two people in real browsers
needs() {
  need_cargo && need_node && need chromium chromium && need firefox-esr firefox-esr || return
  need turnserver coturn && need ffprobe ffmpeg && need pulseaudio pulseaudio
}
run() { with_binary limited 2400 tests/browser/run; }
repeat() {
  local files
  mapfile -t files < <(sed -nE 's/^test at ([a-z_]+\.test\.js):.*/.\/\1/p' "$logs/browser.log" | sort -u)
  with_binary limited 2400 tests/browser/run "${files[@]}"
}
