"""Texts that a spreadsheet would take for more than text."""

import re

# What a spreadsheet takes for a formula, also behind blanks and the mark that we put in front.
FORMULA = re.compile(r"['\s]*[=+\-@＝＋－＠]|'*[\t\r\n]").match


def neutral(text: str) -> str:
    """A text that no spreadsheet will run: with an apostrophe in front."""
    return f"'{text}" if FORMULA(text) else text
