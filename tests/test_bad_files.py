"""Any bytes as a file: a clear sentence, never a traceback, in bounded memory and time.

Each file goes through the command in a real process that may not take more memory than any other.
"""

import gzip
import random
import resource
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from imports.models import ImportExecutionLog
from imports.states import Status
from tests.conftest import HEADER, file_of, fill
from tests.processes import Ended, end, start
from trades.models import Trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]

MEMORY = 200 << 20  # bytes; an ordinary import takes two thirds of it
SECONDS = 30  # of a processor
MEGABYTE = 1 << 20
Bytes = bytes | Iterable[bytes]


def valid(count: int) -> bytes:
    return file_of(*(fill(ID=f"exec-{number}") for number in range(count))).encode()


REFUSED: dict[str, tuple[Callable[[], Bytes], str]] = {
    "random bytes": (lambda: random.Random(1).randbytes(MEGABYTE), "no text"),
    "empty": (lambda: b"", "is empty (0 bytes)"),
    "undefined": (lambda: b"undefined", "holds only the word 'undefined'"),
    "one line of 200 MB": (lambda: (b"x" * MEGABYTE for _ in range(200)), "has a line of more"),
    "NUL first": (lambda: b"\0" + valid(10), "NUL byte in line 1;"),
    "NUL within": (lambda: valid(10).replace(b"exec-5", b"exec\0"), "NUL byte in line 7;"),
    "NUL after 5 MB": (lambda: valid(50_000) + b"\0", "NUL byte in line 50,002;"),
    "other": (lambda: b"name,age\nAnn,30\nBob,25\n", "is in no known format"),
    "UTF-16 cut": (lambda: file_of(fill()).encode("utf-16")[:-1], "no text"),
    "gzip": (lambda: gzip.compress(valid(1_000)), "compressed"),
    "quotes": (lambda: b'"' * 3_000_000, "has a line of more"),
    "lines of quotes": (lambda: b'"\n' * 1_500_000, "is in no known format"),
    "commas": (lambda: b"," * 3_000_000, "has a line of more"),
    "lines of commas": (lambda: (b"," * 100 + b"\n") * 30_000, "is in no known format"),
    "blank lines": (lambda: b"\r\n" * 1_000_000, "is in no known format"),
    "10,000 columns": (
        lambda: (HEADER + ",".join(map(str, range(10_000))) + "\n").encode(),
        "is in no known format",
    ),
    "huge quoted cell": (
        lambda: [HEADER.encode(), b'\n"', b"x" * 3 * MEGABYTE, b'"\n'],
        "has a line of more",
    ),
}


def write(path: Path, content: Bytes) -> Path:
    with path.open("wb") as stream:
        stream.writelines([content] if isinstance(content, bytes) else content)
    return path


def import_within_limits(path: Path) -> Ended:
    process = start("manage.py", "import_csv", str(path), "--timezone", "UTC")
    if hasattr(resource, "prlimit"):  # on Linux
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (SECONDS, SECONDS))
    ended = end(process)
    assert "Traceback" not in ended.err
    return ended


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_no_export_fails_with_one_sentence(tmp_path: Path, kind: str) -> None:
    make, sentence = REFUSED[kind]
    ended = import_within_limits(write(tmp_path / "a file.csv", make()))
    log = ImportExecutionLog.objects.get()
    assert (log.status, log.total_rows) == (Status.FAILED, 0)
    assert log.error_summary.startswith("a file.csv ")
    assert sentence in log.error_summary
    assert ended.out.count("\n") == 1
    assert ended.out.endswith(f"{log.error_summary}\n")
    assert ended.status == 1


def test_a_header_without_lines_is_a_success(tmp_path: Path) -> None:
    ended = import_within_limits(write(tmp_path / "fills.csv", valid(0)))
    assert ImportExecutionLog.objects.get().status == Status.SUCCESS
    assert "no executions yet" in ended.out
    assert ended.status == 0


def export_of(*lines: str, times: int) -> list[bytes]:
    """A valid header and these lines so many times, in blocks."""
    return [HEADER.encode() + b"\n", *["".join(f"{line}\n" for line in lines).encode()] * times]


def test_unclosed_quotes_fail_their_own_lines_only(tmp_path: Path) -> None:
    path = write(tmp_path / "fills.csv", export_of(f'"{fill()}', times=100_000))
    ended = import_within_limits(path)
    log = ImportExecutionLog.objects.get()
    assert (log.status, log.failed_rows) == (Status.FAILED, 100_000)
    assert "100,000 of 100,000 lines failed" in ended.out
    assert "unclosed_quote" in ended.out
    assert ended.status == 1


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (fill() + ",12" * 10_000, (0, 1_000, 0)),
        (fill(Rate="1" * 60_000), (1, 0, 999)),
        (fill(Quantity=" " * 60_000), (0, 1_000, 0)),
    ],
    ids=["too many cells", "a long cell", "a long blank"],
)
def test_memory_is_bounded_however_long_the_lines(
    tmp_path: Path, line: str, outcome: tuple[int, int, int]
) -> None:
    import_within_limits(write(tmp_path / "fills.csv", export_of(line, times=1_000)))
    log = ImportExecutionLog.objects.get()
    assert (log.success_rows, log.failed_rows, log.skipped_rows) == outcome


@pytest.mark.parametrize("word", ["\U0001f4c8 up", "שלום", "\u202eevil\u202c", "n̈", "a\ufeffb"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_words_of_any_script_are_kept_as_they_are(take_in, word: str, encoding: str) -> None:
    log = take_in(file_of(fill(Name=word, Account=f"Sim {word}")).encode(encoding))
    assert log.status == Status.SUCCESS
    trade = Trade.objects.get()
    assert (trade.name, trade.account.name) == (word, f"Sim {word}")
    assert word in log.row_logs.get().raw_row_data


def test_half_a_surrogate_is_taken_in(tmp_path: Path) -> None:
    content = file_of(fill(Name="cut ?")).encode().replace(b"?", b"\xed\xa0\xbd")
    ended = import_within_limits(write(tmp_path / "fills.csv", content))
    assert Trade.objects.get().name.startswith("cut ")
    assert ended.status == 0
