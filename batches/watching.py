"""How many may watch batches at the same time: each looks once a second, for minutes.

Counted in this process, over WebSockets and streams of events together.
"""

from collections import Counter
from threading import Lock

MOST_OF_A_USER = 10
MOST = 200


class Seat:
    """The place of one who watches. To leave it twice is harmless."""

    def __init__(self, watchers: "Watchers", user_id: int) -> None:
        self.watchers = watchers
        self.user_id = user_id
        self.is_taken = True

    def leave(self) -> None:
        with self.watchers.lock:
            if self.is_taken:
                self.watchers.by_user[self.user_id] -= 1
                self.is_taken = False


class Watchers:
    def __init__(self) -> None:
        self.by_user: Counter[int] = Counter()
        self.lock = Lock()  # streams are looked after by threads

    def seat(self, user_id: int) -> Seat | None:
        """A place for this user; None if there is none left."""
        with self.lock:
            self.by_user = +self.by_user  # without those who have left
            if self.by_user[user_id] >= MOST_OF_A_USER or self.by_user.total() >= MOST:
                return None
            self.by_user[user_id] += 1
        return Seat(self, user_id)


WATCHERS = Watchers()
