"""Dates and times on every page: the same order everywhere, to the second, no AM and PM."""

DATETIME_FORMAT = "Y-m-d H:i:s"
DATE_FORMAT = "Y-m-d"
