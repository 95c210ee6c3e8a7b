"""The page's files, read once: what is not in the folder at start cannot be asked for."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGE: Final = Path(__file__).resolve().parent.parent / "web"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


def routes(folder: Path = PAGE) -> list[Route]:
    """One route per file, and `/` for the page."""
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in _TYPES]
    served = [_route(f"/{path.relative_to(folder).as_posix()}", path) for path in found]
    return [_route("/", folder / "index.html"), *served]


def _route(address: str, path: Path) -> Route:
    content = path.read_bytes()
    headers = {"Cache-Control": "no-cache", "ETag": f'"{blake2b(content, digest_size=12).hexdigest()}"'}
    media_type = _TYPES[path.suffix]

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    return Route(address, answer)
