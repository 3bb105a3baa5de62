"""Files for the browser, block by block: memory does not grow with the file."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

BLOCK = 1 << 18


def download(path: Path, name: str) -> StreamingHttpResponse:
    """The bytes of a file as an attachment of that name, which no browser will run or show."""
    return StreamingHttpResponse(
        blocks(path),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": content_disposition_header(True, name),
            "Content-Length": str(path.stat().st_size),
        },
    )


async def blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as stream:
        while block := await asyncio.to_thread(stream.read, BLOCK):
            yield block


def streamed(parts: Iterator[str], name: str, content_type: str) -> StreamingHttpResponse:
    """A text as an attachment of that name, sent part by part as it is made."""
    return StreamingHttpResponse(
        encoded(parts),
        content_type=content_type,
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )


async def encoded(parts: Iterator[str]) -> AsyncIterator[bytes]:
    # In the thread of the request, where its connection to the database is.
    while (part := await sync_to_async(next)(parts, None)) is not None:
        yield part.encode(errors="replace")
