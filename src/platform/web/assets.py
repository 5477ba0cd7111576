"""Static files: addressed by what is in them, held in memory, compressed once."""

import gzip
import mimetypes
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from src.platform.web.compression import (
    COMPRESSIBLE,
    SMALLEST_BYTES,
    THOROUGH,
    accepts_gzip,
)
from src.platform.web.cookies import header_of

VERSION_CHARACTERS = 12
FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=300"
TYPES_BY_SUFFIX = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".ico": "image/x-icon",
}


class Asset(msgspec.Struct, frozen=True):
    """One file; `compressed` is None where compressing does not pay."""

    version: str
    content_type: str
    content: bytes
    compressed: bytes | None
    changed_ns: int


class Assets:
    """The files below one directory.

    With `watch` a changed file is read again, for those who write it; a deployment's files do not
    change under it.
    """

    def __init__(self, directory: Path, url_prefix: str = "/static", watch: bool = False) -> None:
        self._directory = directory.resolve()
        self._url_prefix = url_prefix
        self._watch = watch
        self._assets: dict[str, Asset] = {}
        self._urls: dict[str, str] = {}

    def url(self, path: str) -> str:
        """The address with the version of the content in it, to be cached for ever.

        A path that is not there is left without a version: its 404 shows in the page's log.
        """
        known = self._urls.get(path)
        if known is not None and not self._watch:
            return known
        asset = self.find(path)
        url = f"{self._url_prefix}/{path}"
        self._urls[path] = f"{url}?v={asset.version}" if asset else url
        return self._urls[path]

    def find(self, path: str) -> Asset | None:
        """The file, or None for one that is absent or outside the directory."""
        known = self._assets.get(path)
        if known is not None and not self._watch:
            return known
        file = (self._directory / path).resolve()
        if not file.is_relative_to(self._directory) or not file.is_file():
            return None
        changed_ns = file.stat().st_mtime_ns
        if known is None or known.changed_ns != changed_ns:
            known = self._assets[path] = _read(file, changed_ns)
        return known


def _read(file: Path, changed_ns: int) -> Asset:
    content = file.read_bytes()
    content_type = TYPES_BY_SUFFIX.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    content_type = content_type or "application/octet-stream"
    compressed = None
    if content_type.startswith(COMPRESSIBLE) and len(content) >= SMALLEST_BYTES:
        compressed = gzip.compress(content, THOROUGH, mtime=0)
    version = sha256(content).hexdigest()[:VERSION_CHARACTERS]
    return Asset(version, content_type, content, compressed, changed_ns)


@get("/static/{path:path}", opt={"public": True, "static": True}, include_in_schema=False)
async def static_file(
    request: Request[Any, Any, Any], path: FromPath[str], v: FromQuery[str | None] = None
) -> Response[bytes]:
    """A file of the kit; for ever when asked by its current version, briefly otherwise."""
    asset = request.app.state.web.assets.find(str(path).lstrip("/"))
    if asset is None:
        raise NotFoundException
    headers = {
        "cache-control": FOREVER if v == asset.version else BRIEFLY,
        "etag": f'"{asset.version}"',
        "vary": "Accept-Encoding",
    }
    if header_of(request.scope, b"if-none-match") == headers["etag"]:
        return Response(b"", status_code=304, headers=headers)
    body = asset.content
    if asset.compressed is not None and accepts_gzip(request.scope):
        headers["content-encoding"] = "gzip"
        body = asset.compressed
    return Response(body, media_type=asset.content_type, headers=headers)
