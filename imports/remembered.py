"""Answers that are remembered, because most columns of a file say the same again and again."""

from collections.abc import Callable, Hashable
from typing import Any


class Remembered(dict[Hashable, Any]):
    """The answer to each key, asked for once. It forgets all of them before they are too many."""

    def __init__(self, ask: Callable[[Any], Any], most: int = 5_000) -> None:
        super().__init__()
        self.ask = ask
        self.most = most

    def __missing__(self, key: Hashable) -> Any:
        answer = self.ask(key)
        if len(self) >= self.most:
            self.clear()
        self[key] = answer
        return answer

    def all(self, keys: Any) -> list[Any]:
        return list(map(self.__getitem__, keys))
