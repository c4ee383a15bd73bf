"""The console that commands with tables print on. It needs rich."""

from __future__ import annotations

import sys

from rich.console import Console


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # for the command line, which has a status for it


def make_console(width_of_files: int) -> Console:
    """Return a console that writes nothing but lines of text where there is no terminal."""
    terminal = sys.stdout.isatty()
    return _Console(
        force_terminal=terminal,
        width=None if terminal else width_of_files,
        highlight=False,
        markup=False,
    )
