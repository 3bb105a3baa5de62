"""A user of the web server, who knows that it may die in the middle of an answer."""

import time
from collections.abc import Callable
from typing import Any

import requests

PATIENCE = 600  # seconds; behind the death of its worker, work waits for a minute tick or two
USER, PASSWORD = "soak", "soak-and-dry"


class Unsure(Exception):
    """No answer, or one that does not tell whether it was done."""


class Stuck(Exception):
    """What must come about has not, for longer than any user waits."""


class Client:
    """One user, by token at the API and by session on the pages."""

    def __init__(self, address: str, is_over: Callable[[], bool]) -> None:
        self.address = address
        self.is_over = is_over
        self.api = requests.Session()
        self.pages = requests.Session()
        self.api.trust_env = self.pages.trust_env = False  # no proxy for this machine

    def as_another(self) -> "Client":
        """The same user at another desk, logged in already."""
        other = Client(self.address, self.is_over)
        other.api.headers.update(self.api.headers)
        other.pages.cookies.update(self.pages.cookies)
        return other

    def log_in(self) -> None:
        answer = self.surely("POST", "/api/tokens", auth=(USER, PASSWORD))
        self.api.headers["Authorization"] = f"Token {answer.json()['token']}"
        self.until(self.is_logged_in, "a login")

    def is_logged_in(self) -> bool:
        try:
            self.post_form("/login/", data={"username": USER, "password": PASSWORD})
        except Unsure:
            return False
        return "sessionid" in self.pages.cookies

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """Raises Unsure where nobody can tell what has happened."""
        return self.send(self.api, method, path, **more)

    def send(
        self, session: requests.Session, method: str, path: str, **more: Any
    ) -> requests.Response:
        try:
            answer = session.request(method, self.address + path, timeout=30, **more)
        except requests.RequestException as problem:
            raise Unsure(f"{method} {path}: {problem}") from None
        if answer.status_code >= 500:
            raise Unsure(f"{method} {path}: {answer.status_code}")
        return answer

    def surely(self, method: str, path: str, **more: Any) -> requests.Response:
        """Ask until there is an answer; for what may be asked twice."""
        answers: list[requests.Response] = []

        def is_answered() -> bool:
            try:
                answers.append(self.ask(method, path, **more))
            except Unsure:
                return False
            return True

        self.until(is_answered, f"an answer to {method} {path}")
        return answers[-1]

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        return self.surely("GET", path, params=parameters).json()

    def post_form(self, path: str, **more: Any) -> requests.Response:
        """Fill in a form of the pages. Raises Unsure."""
        if "csrftoken" not in self.pages.cookies:
            self.send(self.pages, "GET", "/login/")
        headers = {"X-CSRFToken": self.pages.cookies["csrftoken"], "Referer": self.address}
        return self.send(self.pages, "POST", path, headers=headers, **more)

    def until(self, fact: Callable[[], bool], what: str) -> None:
        """Look again and again, as a user does. Raises Stuck."""
        deadline = time.monotonic() + PATIENCE
        while not fact():
            if time.monotonic() > deadline:
                raise Stuck(f"waited {PATIENCE} s for {what}")
            time.sleep(0.2)
