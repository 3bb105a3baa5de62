"""A user who has batches executed: makes, starts, cancels, retries and rolls them back."""

import random
import time

from batches.models import Batch, BatchTrade
from bench.soak.client import Client, Unsure
from bench.soak.fills import ACCOUNTS, INSTRUMENTS
from bench.soak.model import Model

FINAL = {"success", "partial_success", "failed", "cancelled"}


class Trader:
    def __init__(self, name: str, client: Client, model: Model) -> None:
        self.name = name
        self.client = client
        self.model = model
        self.chance = random.Random(name)
        self.batches = 0

    def work(self) -> None:
        """The life of one batch."""
        self.batches += 1
        self.label = f"{self.name}-{self.batches}"
        good, bad = self.chance.randint(1, 120), self.chance.randint(0, 5)
        if self.chance.random() < 0.15:
            good *= 20
        refuses = self.chance.random() < 0.2
        batch = self.make(good, bad, refuses)
        self.do(batch, "start", lambda one: one.queued_at is not None)
        if self.chance.random() < 0.3:
            time.sleep(self.chance.uniform(0, 1))
            self.cancel(batch)
        state = self.wait_for_end(batch)
        if state == "cancelled" and self.chance.random() < 0.8:
            state = self.retry(batch)
        executed = self.executed(batch, state, good, bad, refuses)
        if executed and self.chance.random() < 0.3:
            self.undo(batch)
            executed = set()
        self.expect(batch, good, bad, executed)
        self.model.count("batches")

    def make(self, good: int, bad: int, refuses: bool) -> int:
        trades = [self.instruction(place) for place in range(1, good + 1)]
        places = range(good + 1, good + bad + 1)
        trades += [self.instruction(place) | {"quantity": "x"} for place in places]
        wishes = {"name": self.label, "priority": self.chance.randint(1, 10), "trades": trades}
        wishes["parallel"] = self.chance.choice([1, 1, 4])
        if refuses or self.chance.random() < 0.5:
            percent = 25 if refuses else 0
            delay = self.chance.choice([0, 0, 20])
            settings = {"seed": self.batches, "reject_percent": percent, "delay_ms": delay}
            wishes |= {"executor": "paper", "executor_settings": settings}
        key = {"Idempotency-Key": self.label}
        answer = self.client.surely("POST", "/api/batches", json=wishes, headers=key)
        answer.raise_for_status()
        return answer.json()["batch"]["id"]

    def instruction(self, place: int) -> dict[str, str]:
        return {
            "account": self.chance.choice(ACCOUNTS),
            "instrument": self.chance.choice(INSTRUMENTS),
            "side": "buy" if place % 2 else "sell",
            "quantity": "1",
            "price": str(self.chance.randrange(2_500, 5_000)),
            "executed_at": f"2026-01-{self.chance.randint(5, 28):02}T15:{place % 60:02}:00Z",
            "order_id": f"{self.label}:{place}",
        }

    def do(self, batch: int, deed: str, is_done: object, **more: object) -> None:
        """Ask for it until it is seen to be done; a second asking is refused."""

        def done() -> bool:
            if is_done(Batch.objects.get(pk=batch)):
                return True
            try:
                self.client.ask("PUT", f"/api/batches/{batch}/{deed}", **more)
            except Unsure:
                return False
            return is_done(Batch.objects.get(pk=batch))

        self.client.until(done, f"{deed} of batch {batch}")

    def cancel(self, batch: int) -> None:
        self.do(batch, "cancel", lambda one: one.cancel_requested or one.is_completed)
        self.model.count("batches cancelled")

    def retry(self, batch: int) -> str:
        rounds = Batch.objects.get(pk=batch).rounds
        self.do(batch, "retry", lambda one: one.rounds > rounds)
        self.model.count("batches retried")
        return self.wait_for_end(batch)

    def undo(self, batch: int) -> None:
        confirm = {"confirm": True}
        self.do(batch, "undo", lambda one: one.undo_requested, json=confirm)
        found = Batch.objects.filter(pk=batch, undone_at__isnull=False)
        self.client.until(found.exists, f"the rollback of batch {batch}")
        self.model.count("batches undone")

    def wait_for_end(self, batch: int) -> str:
        path = f"/api/batches/{batch}/progress"
        self.client.until(lambda: self.client.get(path)["is_completed"], f"the end of {batch}")
        return self.client.get(path)["status"]

    def executed(self, batch: int, state: str, good: int, bad: int, refuses: bool) -> set[int]:
        """The sequences that are executed, which must be all good ones unless chance decided."""
        rows = BatchTrade.objects.filter(batch=batch)
        told = set(rows.filter(status="executed").values_list("sequence", flat=True))
        # Given up after the death of three workers in a row, as may happen here.
        given_up = rows.filter(status="failed", error_message__startswith="Interrupted")
        wanted = set(range(1, good + 1))
        if state != "cancelled" and not refuses:
            wanted -= set(given_up.values_list("sequence", flat=True))
            if told != wanted:
                self.model.differ(f"batch {batch} has executed {told}, not {wanted}")
        elif not told <= wanted:
            self.model.differ(f"batch {batch} has executed a bad line: {told - wanted}")
        return told

    def expect(self, batch: int, good: int, bad: int, executed: set[int]) -> None:
        self.model.batches[batch] = good + bad
        with self.model.lock:
            for place in executed:
                self.model.orders[f"{self.label}:{place}"] += 1
