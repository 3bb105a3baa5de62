"""The signing key of an installation: made on the first start, then kept."""

import os
import secrets
import tempfile
from pathlib import Path


def kept_secret_key(folder: Path) -> str:
    """The key kept in `folder`; a new one is written there first if there is none.

    Where nothing can be written the key holds for this process only; a system check says so.
    """
    try:
        return key_in(folder / "secret_key")
    except OSError:
        return secrets.token_urlsafe(50)


def key_in(path: Path) -> str:
    """The key in the file, which is made if it is missing.

    Two processes that start at once get the same key: the new file is written under a name of its
    own and linked into place, which succeeds for one of them only. A process number would be no
    such name: containers that share the folder have the same ones.
    """
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 600
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
            os.unlink(draft)
        except FileExistsError:
            os.unlink(draft)  # the other process was first; its key counts
        except OSError:
            os.replace(draft, path)  # a file system without links
    return path.read_text(encoding="ascii").strip()
