# sample invoices, judged by the checkers that others wrote
shares=true
needs() {
  need_cargo && need_python && need java default-jdk-headless && need qpdf qpdf && need pdftotext poppler-utils || return
  [ -e /usr/share/java/pdfbox2.jar ] && [ -e /usr/share/java/jaxb-api.jar ] || install_packages libpdfbox2-java libactivation-java libjaxb-api-java
}
run() { limited 900 tests/documents/run; }
