"""smart-api: GET /primes/<number> says whether a number is prime."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from primes import Primes

primes = Primes()


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        kind, _, value = self.path.strip("/").partition("/")
        if kind != "primes" or not value.isdigit():
            return self.answer(404, {"error": "try /primes/97"})
        try:
            self.answer(200, {"number": int(value), "prime": primes.is_prime(int(value))})
        except ValueError as error:
            self.answer(400, {"error": str(error)})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
port = int(os.environ.get("PORT", "5000"))
print(f"smart-api listens on port {port}", flush=True)
ThreadingHTTPServer(("", port), Api).serve_forever()
