"""Another company's site, on this machine, with a call button of the node on its page.

It answers at every name below `localhost`, which browsers take for this machine: at the one that the node's
`callers.origins` have, and at any that they do not.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.interop.node import Node

PAGE = """<!doctype html><html lang="en"><title>Shop</title><body><h1>Shop</h1>
<script src="{node}/web/embed.js" data-destination="desk" data-token="/token" data-title="Shop"></script>"""


class Site:
    """node: which it calls; set before its page is opened."""

    def __init__(self) -> None:
        self.node: Node | None = None
        site = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path == "/"
                self.say(200 if found else 404, "text/html", site.page() if found else "")

            def do_POST(self) -> None:
                wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.say(200, "application/json", json.dumps(site.token(wish)))

            def say(self, status: int, kind: str, body: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        Thread(target=self._server.serve_forever, daemon=True).start()

    def origin(self, name: str = "shop") -> str:
        return f"http://{name}.localhost:{self._server.server_port}"

    def page(self) -> str:
        assert self.node is not None
        return PAGE.format(node=self.node.api)

    def token(self, wish: dict[str, str]) -> object:
        """What the site's backend has made for its visitor."""
        assert self.node is not None
        return self.node.post("/v1/callers/tokens", wish)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
