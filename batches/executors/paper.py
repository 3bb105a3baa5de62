"""A paper broker, to try things out: it fills, slips, rejects and dawdles by the dice of its seed.

The dice are thrown by seed and key, so the same instruction always gets the same answer, and two
batches with the same seed do not.
"""

import random
import time
from decimal import Decimal
from typing import ClassVar

from django.utils import timezone

from batches.executors import Executor, Fill, Instruction, Rejection
from batches.executors.wishes import Setting
from trades.models import Trade

ANY_TICK = Decimal("0.01")  # of an instrument whose own is unknown
REASONS = (
    "Rejected: insufficient margin.",
    "Rejected: the market is closed.",
    "Rejected: the price is too far from the market.",
)
NO_PRICE = "The paper broker has no market of its own and needs a price."
SMALLEST_PART, SMALLEST_COST = Decimal("1e-8"), Decimal("1e-4")
BUYS = {Trade.Side.BUY, Trade.Side.BUY_TO_COVER}


class Paper(Executor):
    name = "paper"
    title = "Paper broker"
    description = "Pretends to trade: with slippage, partial fills, rejections and delays."
    is_idempotent: ClassVar[bool] = True
    can_undo: ClassVar[bool] = True
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("seed", "Seed", 1, 0, 2**31 - 1, "Other seeds throw other dice."),
        Setting("slippage", "Slippage", 0, 0, 1_000, "At most so many ticks to your disadvantage."),
        Setting("reject_percent", "Rejected", 0, 0, 100, "Per cent of the instructions."),
        Setting("partial_percent", "Partly filled", 0, 0, 100, "Per cent of those it takes."),
        Setting("delay_ms", "Delay", 0, 0, 60_000, "At most so many milliseconds for each."),
    )

    def __init__(
        self,
        *,
        seed: int = 1,
        slippage: int = 0,
        reject_percent: int = 0,
        partial_percent: int = 0,
        delay_ms: int = 0,
    ) -> None:
        self.seed = seed
        self.slippage = slippage
        self.reject_percent = reject_percent
        self.partial_percent = partial_percent
        self.delay_ms = delay_ms
        self.lot = max(1, min(500, 1_000 // max(1, delay_ms)))

    def check(self, instruction: Instruction) -> str:
        return NO_PRICE if instruction.price is None else ""

    def execute(self, instruction: Instruction) -> Fill | Rejection:
        if instruction.price is None:
            return Rejection(NO_PRICE)
        # A text as seed: the same dice in every process and version.
        dice = random.Random(f"{self.seed}:{instruction.key}")
        time.sleep(dice.uniform(0, self.delay_ms) / 1000)
        if dice.uniform(0, 100) < self.reject_percent:
            return Rejection(dice.choice(REASONS))
        quantity = instruction.quantity
        if dice.uniform(0, 100) < self.partial_percent:
            quantity = part_of(quantity, dice)
        return Fill(
            quantity=quantity,
            price=self.slipped(instruction, dice),
            commission=share_of(instruction.commission, quantity / instruction.quantity),
            executed_at=instruction.executed_at or timezone.now(),
            order_id=instruction.order_id or f"paper-{dice.randrange(10**9):09}",
        )

    def slipped(self, instruction: Instruction, dice: random.Random) -> Decimal:
        """The price after some ticks to the disadvantage of who gave the instruction."""
        ticks = dice.randint(0, self.slippage) * (instruction.tick_size or ANY_TICK)
        price = instruction.price
        return price + ticks if instruction.side in BUYS else price - ticks


def part_of(quantity: Decimal, dice: random.Random) -> Decimal:
    """Less than the quantity: of several pieces some whole ones, of a broken one a half.

    A single contract cannot be had in part.
    """
    if quantity > 1:
        return Decimal(dice.randint(1, max(1, int(quantity) - 1)))
    half = (quantity / 2).quantize(SMALLEST_PART)
    return half if half and quantity < 1 else quantity


def share_of(commission: Decimal, part: Decimal) -> Decimal:
    return commission if part == 1 else (commission * part).quantize(SMALLEST_COST)


EXECUTOR = Paper
