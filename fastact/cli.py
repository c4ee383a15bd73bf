"""The command ``fastact``.

One row of ``COMMANDS`` declares a command. What a command needs beyond NumPy it imports when it
runs, so that ``fastact info`` works, and is fast, in any installation.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import fastact


class Command(NamedTuple):
    """A command: ``run`` gets the parsed arguments and returns the exit status."""

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the name of the program; by default those of this process.

    Returns
    -------
    int
        0 for success; 1 if the command failed; 2 if there is no command; 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        For ``--help`` and ``--version``, and with status 2 for arguments that are wrong.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.run is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("fastact: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader, such as head, has left. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fastact",
        description="Activation functions of neural networks and their gradients, for NumPy.",
    )
    parser.add_argument("--version", action="version", version=f"fastact {fastact.__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        subparser = commands.add_parser(
            command.name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def _fail(message: str) -> int:
    print(f"fastact: {message}", file=sys.stderr)
    return 1


def _integer(low: int, high: int | None = None) -> Callable[[str], int]:
    """Return a converter of arguments to integers in a range."""
    expected = f"an integer from {low} to {high}" if high is not None else f"an integer >= {low}"

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"must be {expected}, got {text!r}")
        return value

    return convert


# --- info --------------------------------------------------------------------------------------


def _info_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def _info(arguments: argparse.Namespace) -> int:
    fastact.show_config()
    return 0


# --- demo --------------------------------------------------------------------------------------


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("fastact-demo"),
        metavar="DIR",
        help="where to save the pictures",
    )
    parser.add_argument(
        "--epochs",
        type=_integer(1),
        default=50,
        metavar="N",
        help="passes over the training images, for each activation",
    )
    parser.add_argument(
        "--seed",
        type=_integer(0, 2**32 - 1),
        default=0,
        metavar="N",
        help="seed of the split, the initial weights and the order of the images",
    )


def _demo(arguments: argparse.Namespace) -> int:
    if any(find_spec(module) is None for module in ("sklearn", "matplotlib", "rich")):
        return _fail(
            "the demo needs scikit-learn, matplotlib and rich; "
            "install them with: pip install 'fastact[demo]'"
        )
    try:
        # Before the training: a directory that cannot be had should not cost its time.
        arguments.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return _fail(f"--output must be a directory, or a place to make one: {error}")

    from fastact import demo

    return 0 if demo.run(arguments.output, arguments.epochs, arguments.seed) else 1


COMMANDS = (
    Command(
        "info",
        "print versions, backends, how the extension was built, and the settings in force",
        _info_arguments,
        _info,
    ),
    Command(
        "demo",
        "train networks on handwritten digits, compare the activations and backends, draw both",
        _demo_arguments,
        _demo,
    ),
)
