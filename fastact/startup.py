"""How the command ends if the import of the package itself fails: with one line, not a traceback.

``python -m fastact`` and the script ``fastact`` import the package before ``cli.main`` can catch
anything: a wrong environment variable, Ctrl-C, a missing NumPy. So the package imports this module
first. It uses the standard library only.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from types import TracebackType

#: The exit status after Ctrl-C, as of shells.
INTERRUPTED = 130


def runs_command() -> bool:
    """Whether this process is the command, not a program that imports the package."""
    arguments = getattr(sys, "argv", None) or [""]  # there may be none where Python is embedded
    if arguments[0] == "-m":  # so it is until the module, or its package, has been imported
        return sys.orig_argv[-len(arguments)].removeprefix("-m") == "fastact"
    return os.path.basename(arguments[0]) in ("fastact", "fastact.exe")


def end_command(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """Print what ended the command and exit; for ``sys.excepthook``."""
    is_interrupt = issubclass(kind, KeyboardInterrupt)
    message = "interrupted" if is_interrupt else f"{kind.__name__}: {error}"
    with suppress(OSError):
        if sys.stderr is not None:
            print(f"fastact: {' '.join(message.split())}", file=sys.stderr, flush=True)
    exit_at_once(INTERRUPTED if is_interrupt else 1)


def exit_at_once(status: int) -> None:
    """Exit without Python's shutdown, in which half-imported modules of others may crash."""
    with suppress(OSError):
        if sys.stdout is not None:
            sys.stdout.flush()
    os._exit(status)


if runs_command():
    sys.excepthook = end_command
