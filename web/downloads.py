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


class TextResponse(StreamingHttpResponse):
    """A text that is sent part by part as it is made, by servers of both kinds."""

    def __init__(self, parts: Iterator[str], **kwargs: object) -> None:
        self.parts = parts
        super().__init__(self.encoded_later(), **kwargs)

    def __iter__(self) -> Iterator[bytes]:
        return map(encoded, self.parts)

    async def encoded_later(self) -> AsyncIterator[bytes]:
        # In the thread of the request, where its connection to the database is.
        while (part := await sync_to_async(next)(self.parts, None)) is not None:
            yield encoded(part)


def encoded(part: str) -> bytes:
    return part.encode(errors="replace")


def streamed(parts: Iterator[str], name: str, content_type: str) -> TextResponse:
    """A text as an attachment of that name."""
    disposition = content_disposition_header(True, name)
    return TextResponse(
        parts, content_type=content_type, headers={"Content-Disposition": disposition}
    )
