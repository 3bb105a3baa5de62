"""What needs SQLAlchemy, loaded when a database is first asked for.

Most processes read none, and start sooner and smaller without it.
"""

from importlib import import_module
from types import ModuleType


def drivers() -> ModuleType:
    return import_module("sources.drivers")


def database() -> ModuleType:
    return import_module("sources.database")
