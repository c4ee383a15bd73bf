"""What the tools that write one file have in common: to write it, or to say that it is stale."""

from __future__ import annotations

from pathlib import Path


def refresh(file: Path, text: str, arguments: list[str], command: str, usage: str | None) -> int:
    """Write the text into the file; with the argument ``--check``, say whether that is needed.

    Returns
    -------
    int
        The exit status: 1 for a stale file, 2 for other arguments.
    """
    if arguments == ["--check"]:
        if file.exists() and file.read_text(encoding="utf-8") == text:
            return 0
        shown = "/".join(file.parts[-2:])
        print(f"{shown} is stale; refresh it with: {command}")
        return 1
    if arguments:
        print(usage)
        return 2
    file.write_text(text, encoding="utf-8")
    return 0
