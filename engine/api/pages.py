"""The pages of agents and callers: files of engine/web, read once, served under headers that let nothing in.

No file has a version in its name: a browser asks each time whether it changed (ETag), and mostly it has not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from engine.api.problem import not_found
from engine.api.settings import PageTerms
from engine.views import PhoneTerms

FOLDER = Path(__file__).resolve().parent.parent / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
CACHE = "no-cache"  # kept, and asked about each time
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
    "connect-src 'self' {sockets}{others}; base-uri 'none'; form-action 'none'; frame-ancestors {around}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
MICROPHONE = "microphone=(self), camera=(), geolocation=(), payment=(), usb=()"
_HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class File:
    body: bytes
    type: str
    etag: str


def read(folder: Path = FOLDER) -> dict[str, File]:
    """Every file below the folder that has a type, by its path there."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in TYPES and path.is_file():
            body = path.read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
            files[path.relative_to(folder).as_posix()] = File(body, TYPES[path.suffix], etag)
    return files


def sockets_of(host: str, phone: PhoneTerms, sip_url: str) -> str:
    """Where a page may open WebSockets: this very host, and its SIP.

    host: as in the Host header, which may be anything; what is no host is left out.
    """
    found = _HOST.fullmatch(host)
    allowed = [f"wss://{host}", f"ws://{host}"] if found else []
    address = re.match(r"wss?://[A-Za-z0-9.:\[\]-]+", sip_url)
    if address:
        allowed.append(address[0])
    elif found and phone.port:
        allowed.append(f"{phone.scheme}://{found[1]}:{phone.port}")
    return " ".join(allowed)


def others_of(origins: Iterable[str]) -> str:
    """Where else a page may call, and open WebSockets: at other nodes."""
    both = (f" {origin} {origin.replace('http', 'ws', 1)}" for origin in sorted(origins))
    return "".join(both)


def router_of(terms: PageTerms, origins: Iterable[str], next_nodes: Iterable[str] = ()) -> APIRouter:
    """Routes of the pages and what they load. origins: of sites that may show the caller's within theirs.
    next_nodes: where its calls may go beside the nodes of the cluster.
    """
    router = APIRouter(include_in_schema=False)
    files = read()
    around = " ".join(sorted(origins)) or "'none'"

    def serve(request: Request, name: str, ancestors: str = "'none'") -> Response:
        file = files.get(name)
        if file is None:
            raise not_found("page", name)
        headers = {"ETag": file.etag, "Cache-Control": CACHE}
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if name == "embed.js" else "same-origin"
        if file.type == TYPES[".html"]:
            phone = request.app.state.view.phone_terms()
            sockets = sockets_of(request.headers.get("host", ""), phone, terms.sip_url)
            others = others_of(request.app.state.view.cluster.origins() | set(next_nodes))
            headers["Content-Security-Policy"] = POLICY.format(
                sockets=sockets, others=others, around=ancestors
            )
            headers["Permissions-Policy"] = MICROPHONE
        if file.etag in request.headers.get("if-none-match", ""):  # its headers take the place of those kept
            return Response(status_code=304, headers=headers)
        return Response(file.body, media_type=file.type, headers=headers)

    @router.get("/agent")
    async def agent(request: Request) -> Response:
        return serve(request, "agent.html")

    @router.get("/lines")
    async def lines(request: Request) -> Response:
        """Whoever looks has a token of the API."""
        return serve(request, "lines.html")

    @router.get("/call")
    @router.get("/call/{destination}")
    async def call(request: Request, destination: str = "") -> Response:
        """The destination is the page's to read."""
        return serve(request, "caller.html", around)

    @router.get("/web/{name:path}")
    async def part(request: Request, name: str) -> Response:
        return serve(request, name)

    return router
