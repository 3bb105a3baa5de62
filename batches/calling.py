"""Calling an executor from threads, while the main thread keeps the books.

Nothing here touches the database: the threads get instructions and give answers.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from threading import Event

from batches.answers import VERIFY
from batches.executors import Executor, Fill, Instruction, NotDone, Rejection

logger = logging.getLogger(__name__)

LONGEST_LOT = 2.0  # seconds; what of a lot has not begun by then is given back


@dataclass(frozen=True, slots=True)
class Task:
    """An instruction and the number of its batch trade."""

    batch_trade_id: int
    instruction: Instruction


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task; an answer of None means that it was not begun."""

    task: Task
    answer: Fill | Rejection | None


class Calls:
    """The threads and what they have in hand. To be used with `with`, which ends them."""

    def __init__(self, executor: Executor, parallel: int, may_begin: Callable[[], bool]) -> None:
        self.executor = executor
        self.parallel = max(1, parallel)
        self.may_begin = may_begin
        self.stopping = Event()
        self.in_hand: dict[Future[list[Outcome]], Sequence[Task]] = {}
        self.pool = ThreadPoolExecutor(self.parallel, thread_name_prefix="executor")

    def __enter__(self) -> "Calls":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Who was told to exit does not wait for an executor that may never answer.
        self.stop()
        told_to_exit = kind is not None and not issubclass(kind, Exception)
        self.pool.shutdown(wait=not told_to_exit, cancel_futures=True)

    @property
    def free(self) -> int:
        """How many more lots could be in hand."""
        return self.parallel - len(self.in_hand)

    @property
    def ids(self) -> list[int]:
        """Of the batch trades that are in hand."""
        return [task.batch_trade_id for lot in self.in_hand.values() for task in lot]

    def stop(self) -> None:
        """Begin nothing more, even of what is in hand."""
        self.stopping.set()

    def hand_over(self, lot: Sequence[Task]) -> None:
        """Have a lot executed in a thread, one after the other."""
        # The context carries the job log, so that what an executor logs is written down there.
        future = self.pool.submit(copy_context().run, self.execute_all, lot)
        self.in_hand[future] = lot

    def collect(self, seconds: float) -> list[Outcome]:
        """The outcomes of the lots that are done; waits for the first, but no longer than this."""
        done, _ = wait(self.in_hand, timeout=seconds, return_when=FIRST_COMPLETED)
        outcomes: list[Outcome] = []
        for future in done:
            del self.in_hand[future]
            outcomes += future.result()
        return outcomes

    def execute_all(self, lot: Sequence[Task]) -> list[Outcome]:
        over_at = time.monotonic() + LONGEST_LOT
        outcomes = []
        for task in lot:
            begins = not self.stopping.is_set() and self.may_begin()
            if not begins or (outcomes and time.monotonic() > over_at):
                outcomes.append(Outcome(task, None))
            else:
                outcomes.append(Outcome(task, ask(self.executor, task.instruction)))
        return outcomes


def ask(executor: Executor, instruction: Instruction) -> Fill | Rejection:
    """Have one instruction executed. Whatever the executor raises becomes a rejection.

    One that was handed over before may have been done then: who can tell is asked first.
    """
    try:
        known = executor.look_up(instruction) if instruction.attempt > 1 else None
        answer = known if isinstance(known, Fill) else executor.execute(instruction)
    except BaseException as problem:
        words = in_words(problem)
        logger.warning("%s: %s", instruction.key, words)
        return what_became(executor, instruction, words)
    if isinstance(answer, Fill | Rejection):
        return answer
    return Rejection(f"The executor gave no answer but {answer!r}; {VERIFY}.")


def what_became(executor: Executor, instruction: Instruction, words: str) -> Fill | Rejection:
    """What the executor says about an instruction in the middle of which it failed with `words`.

    Where nobody can tell whether it was executed, and asking again may execute it twice, the words
    say so.
    """
    known = None
    try:
        known = executor.look_up(instruction)
    except BaseException as problem:
        logger.warning("%s: it cannot be looked up: %s", instruction.key, in_words(problem))
    if isinstance(known, Fill | Rejection):
        return known
    is_certain = executor.is_idempotent or isinstance(known, NotDone)
    return Rejection(words if is_certain else f"{words.rstrip('.')}; {VERIFY} what became of it.")


def in_words(problem: BaseException) -> str:
    """A sentence: what the exception says, or its name if it says nothing."""
    said = " ".join(str(problem).split())
    return said[:1_000] or f"The executor broke off with {type(problem).__name__}."
