"""Files for the browser, block by block: memory does not grow with the file."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

BLOCK = 1 << 18


def download(path: Path, name: str) -> StreamingHttpResponse:
    """The bytes of a file as an attachment of that name, which no browser will run or show."""
    return attachment(partial(path.open, "rb"), path.stat().st_size, name)


def download_open(stream: BinaryIO, name: str) -> StreamingHttpResponse:
    """The same of an open file, which is closed behind its last byte, or when nobody reads on."""
    size = stream.seek(0, 2)
    stream.seek(0)
    response = attachment(lambda: stream, size, name)
    response._resource_closers.append(stream.close)
    return response


def attachment(opened: Callable[[], BinaryIO], size: int, name: str) -> StreamingHttpResponse:
    return FileResponse(
        opened,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": content_disposition_header(True, name),
            "Content-Length": str(size),
        },
    )


class FileResponse(StreamingHttpResponse):
    """A file that is opened when it is sent, by servers of both kinds; none waits for the disk."""

    def __init__(self, opened: Callable[[], BinaryIO], **kwargs: object) -> None:
        self.opened = opened
        super().__init__(self.read_later(), **kwargs)

    def __iter__(self) -> Iterator[bytes]:
        with self.opened() as stream:
            while block := stream.read(BLOCK):
                yield block

    async def read_later(self) -> AsyncIterator[bytes]:
        with self.opened() as stream:
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
