"""A program that receives notices, as far as the tests need one: a web server of their own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "tok-3f9a77c1e2"  # in the address, as a chat has it


@dataclass
class Desk:
    """`answers`: the status of each answer in turn, the last again and again; 0 hangs up."""

    answers: list[int] = field(default_factory=lambda: [200])
    got: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    def next_answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiving(*answers: int) -> Iterator[Desk]:
    """A receiver on this machine that keeps what it gets."""
    desk = Desk([*answers] or [200])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            desk.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if status := desk.next_answer():
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    desk.address = f"json://user:{SECRET}@127.0.0.1:{server.server_port}/{SECRET}"
    try:
        yield desk
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
