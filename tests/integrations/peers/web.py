"""A plain HTTP server on loopback, for services whose descriptions and libraries do the judging."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Service:
    """`answer(request)` gives status, headers and a body of bytes; what it raises fails the test at its end."""

    def __init__(self):
        # Seconds before each answer.
        self.pause = 0
        self.failures, self.lock = [], threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Header and body leave at once.
            wbufsize = 65_536

            def handle_any(self):
                length = int(self.headers.get("Content-Length", 0))
                self.body = self.rfile.read(length)
                if len(self.body) < length:
                    # Whoever asked was killed before all of it was said.
                    self.close_connection = True
                    return
                try:
                    status, headers, body = service.answer(self)
                except Exception as error:  # noqa: BLE001 - the test shall see it
                    service.failures.append(f"{self.command} {self.path}: {type(error).__name__}: {error}")
                    status, headers, body = 599, {}, b""
                time.sleep(service.pause)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                    self.wfile.flush()
                except OSError:
                    # Whoever asked was killed.
                    self.close_connection = True

            do_GET = do_POST = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                """Whoever asked was killed; what goes wrong in an answer is in `failures`."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        raise NotImplementedError

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        assert self.failures == [], self.failures
