"""``python -m fastact``: the same as the command ``fastact``."""

from fastact.cli import command

if __name__ == "__main__":
    command()
