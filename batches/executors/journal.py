"""Book each trade as it is given: for what was traded elsewhere, and is to stand in the log."""

from typing import ClassVar

from django.utils import timezone

from batches.executors import Executor, Fill, Instruction, Rejection

NO_PRICE = "The journal books at the given price, and there is none."


class Journal(Executor):
    name = "journal"
    title = "Journal"
    description = "Books each trade at the given price; nothing leaves the house."
    is_idempotent: ClassVar[bool] = True
    can_undo: ClassVar[bool] = True
    lot = 500

    def check(self, instruction: Instruction) -> str:
        return NO_PRICE if instruction.price is None else ""

    def execute(self, instruction: Instruction) -> Fill | Rejection:
        if instruction.price is None:
            return Rejection(NO_PRICE)
        return Fill(
            quantity=instruction.quantity,
            price=instruction.price,
            commission=instruction.commission,
            executed_at=instruction.executed_at or timezone.now(),
            order_id=instruction.order_id,
        )


EXECUTOR = Journal
