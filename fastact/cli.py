"""The command ``fastact``.

One row of ``COMMANDS`` declares a command. What a command needs beyond NumPy it imports when it
runs, so that ``fastact info`` works, and is fast, in any installation.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TextIO, TypeVar

import fastact
from fastact import config, environment, startup

T = TypeVar("T")


class Command(NamedTuple):
    """A command: ``run`` gets the parsed arguments and returns the exit status."""

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def command() -> None:
    """Run the command line of this process, and end the process."""
    status = main()
    if status == startup.INTERRUPTED:
        startup.exit_at_once(status)
    sys.exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the name of the program; by default those of this process.

    Returns
    -------
    int
        0 for success; 1 if the command failed, whose reason is then one line on standard error; 2
        if there is no command; 130 after Ctrl-C; 141 if the reader of the output, such as ``head``,
        has left.

    Raises
    ------
    SystemExit
        For ``--help`` and ``--version``, and with status 2 for arguments that are wrong.
    """
    _open_closed_streams()
    # We draw without a window. matplotlib cannot be imported if the variable has a wrong value.
    os.environ.pop("MPLBACKEND", None)
    try:
        try:
            return _run(argv)
        finally:
            # Python itself would report a failure at exit, with a traceback.
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        _fail("interrupted")
        return startup.INTERRUPTED
    except BrokenPipeError:
        _discard(sys.stdout)
        return 141
    except Exception as error:
        _discard(sys.stdout)
        return _fail(_reason(error))
    finally:
        try:
            sys.stderr.flush()
        except OSError:
            _discard(sys.stderr)


def _run(argv: Sequence[str] | None) -> int:
    if sys.stdout is None:
        return _fail("standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):  # not one that a test has put there
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.run is None:
        parser.print_help(sys.stderr)
        return 2
    status: int = arguments.run(arguments)
    return status


def _open_closed_streams() -> None:
    """Open the null device in place of standard descriptors that are closed.

    Otherwise the next file that is opened would get the number of the descriptor, and with it
    everything that is written to the stream.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", errors="backslashreplace", closefd=False)


def _discard(stream: TextIO) -> None:
    """Send to the null device what the stream still holds, and all that follows."""
    with suppress(OSError, ValueError):  # a stream of a test may have no descriptor
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        file = "" if error.filename is None else f"{error.filename}: "
        return f"{file}{error.strerror}"
    return config.described(error)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
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
            formatter_class=_HelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


class _Parser(argparse.ArgumentParser):
    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help or an error. Unlike argparse, do not hide that standard output is full."""
        if file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Tells the default of an argument, unless that is not to have it."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


def _fail(message: str) -> int:
    with suppress(OSError):
        print(f"fastact: {' '.join(message.split())}", file=sys.stderr)
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
        tempfile.TemporaryFile(dir=arguments.output).close()
    except OSError as error:
        return _fail(f"--output must be a directory, or a place to make one: {error}")

    from fastact import demo

    return 0 if demo.run(arguments.output, arguments.epochs, arguments.seed) else 1


# --- bench -------------------------------------------------------------------------------------

#: The cells by which fastact is judged: the defaults.
BENCH_ACTIVATIONS = (
    "relu,leaky_relu,hard_swish,sigmoid,tanh,softplus,silu,gelu,gelu_tanh,mish,elu,selu"
)
BENCH_SIZES, BENCH_QUICK_SIZES = "16,1Ki,32Ki,1Mi,16Mi", "16,32Ki,1Mi"
#: Those of fastact.bench.peers, which needs what a bare installation does not have.
BENCH_PEERS = ("torch", "onnxruntime", "jax", "numpy", "numexpr")


def _list_of(convert: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return a converter of arguments to lists, "a,b", without what comes twice."""

    def convert_list(text: str) -> tuple[T, ...]:
        return tuple(dict.fromkeys(convert(item.strip()) for item in text.split(",")))

    return convert_list


def _one_of(*choices: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in choices:
            raise argparse.ArgumentTypeError(f"must be of {', '.join(choices)}, got {text!r}")
        return text

    return convert


def _activation(text: str) -> str:
    try:
        return fastact.get(text).name
    except ValueError:
        expected = ", ".join(fastact.names())
        raise argparse.ArgumentTypeError(f"must be of {expected}, got {text!r}") from None


def _activations(text: str) -> tuple[str, ...]:
    return fastact.names() if text == "all" else _list_of(_activation)(text)


def _size(text: str) -> int:
    """Return a number of elements: 16, 32Ki or 1Mi."""
    match = re.fullmatch(r"([1-9]\d*)(|Ki|Mi|Gi)", text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"must be a positive integer that Ki, Mi or Gi may follow, got {text!r}"
        )
    return int(match[1]) << 10 * ("", "Ki", "Mi", "Gi").index(match[2])


def _threads(text: str) -> int:
    if text == "all":
        return environment.usable_cpus()
    return _integer(1, environment.MAX_THREADS)(text)


def _file(*suffixes: str) -> Callable[[str], Path]:
    """Return a converter of arguments to files that can be written: known before, not after."""

    def convert(text: str) -> Path:
        path = Path(text)
        if path.suffix not in suffixes:
            raise argparse.ArgumentTypeError(f"must end with {', '.join(suffixes)}, got {text!r}")
        if not path.parent.is_dir() or path.is_dir():
            raise argparse.ArgumentTypeError(f"must be a file in a directory, got {text!r}")
        try:
            _try_to_write(path)
        except OSError as error:
            raise argparse.ArgumentTypeError(
                f"must be a file that can be written, got {text!r}: {error.strerror}"
            ) from None
        return path

    return convert


def _try_to_write(path: Path) -> None:
    """Open a file for writing, and leave everything as it is."""
    is_new = not path.exists()
    with path.open("ab"):
        pass
    if is_new:
        path.unlink()


#: Options that choose cells, which ``--layouts`` does not measure.
BENCH_CELL_OPTIONS = ("activations", "directions", "sizes", "output", "inputs", "peers", "plot")


def _bench_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(parser=parser)
    parser.description = (
        "Measure fastact and the other libraries that are installed (pip install 'fastact[peers]' "
        "brings them), interleaved in one process, and print ns per element, GB/s and the ratio of "
        "the best peer's time to fastact's. Cells that fastact loses are marked. All default cells "
        "take about ten minutes, with --quick about one; the whole catalogue takes three times as "
        "long. Lists are separated by commas."
    )
    add = parser.add_argument
    add(
        "--layouts",
        action="store_true",
        help="instead, compare calls on slices, other memory orders, scalars and further dtypes "
        "with NumPy's or SciPy's ufunc of the same function, in under a minute; --dtypes, "
        "--threads, --backend, --precision, --quick, --format, --json and --fail-below apply",
    )
    add(
        "--activations",
        type=_activations,
        default=BENCH_ACTIVATIONS,
        metavar="NAMES",
        help="activations; all: the whole catalogue",
    )
    add(
        "--directions",
        type=_list_of(_one_of("forward", "backward")),
        default="forward,backward",
        metavar="NAMES",
        help="forward, backward",
    )
    add(
        "--sizes",
        type=_list_of(_size),
        metavar="SIZES",
        help=f"numbers of elements; else {BENCH_SIZES}, and with --quick {BENCH_QUICK_SIZES}",
    )
    add(
        "--dtypes",
        type=_list_of(_one_of("float16", "bfloat16", "float32", "float64")),
        default="float32",
        metavar="NAMES",
        help="float16, bfloat16 (needs ml_dtypes), float32, float64",
    )
    add(
        "--threads",
        type=_list_of(_threads),
        default="1,all",
        metavar="NUMBERS",
        help="numbers of threads; all: of the processors that this process may use",
    )
    add(
        "--output",
        choices=("new", "out", "inplace"),
        default="new",
        help="where results go: a new array per call, one array given (out=), or over the first "
        "input (one call per sample)",
    )
    add(
        "--inputs",
        choices=("normal", "subnormal", "special"),
        default="normal",
        help="normal: N(0, 9); subnormal: half of them; special: NaN, infinities, huge, tiny",
    )
    add(
        "--peers",
        type=_list_of(_one_of(*BENCH_PEERS)),
        default=",".join(BENCH_PEERS),
        metavar="NAMES",
        help="libraries to compare with, where installed",
    )
    add(
        "--backend",
        choices=config.BACKEND_CHOICES,
        default=fastact.get_backend(),
        help="backend of fastact",
    )
    add(
        "--precision",
        choices=config.PRECISIONS,
        default=fastact.get_precision(),
        help="precision of fastact",
    )
    add("--quick", action="store_true", help="fewer sizes and rounds")
    add(
        "--format",
        choices=("table", "markdown"),
        default="table",
        help="markdown: what stands in the README, with its marks",
    )
    add("--json", type=_file(".json"), metavar="FILE", help="write all figures into a .json file")
    add(
        "--plot",
        type=_file(".png", ".svg", ".pdf"),
        metavar="FILE",
        help="draw the ratios into a .png, .svg or .pdf file",
    )
    add(
        "--fail-below",
        type=float,
        metavar="RATIO",
        help="exit with status 1 if the geometric mean of the ratios is below this, or a result of "
        "fastact is wrong (single cells may be lost to noise); with --layouts, if any ratio is",
    )


def _bench(arguments: argparse.Namespace) -> int:
    if any(find_spec(module) is None for module in ("rich", "matplotlib", "cpuinfo")):
        return _fail(
            "the benchmarks need rich, matplotlib and py-cpuinfo; "
            "install them with: pip install 'fastact[bench]'"
        )
    if "bfloat16" in arguments.dtypes and find_spec("ml_dtypes") is None:
        return _fail("bfloat16 needs ml_dtypes; install it with: pip install ml_dtypes")

    try:
        run = _bench_layouts if arguments.layouts else _bench_cells
        summary = run(arguments)
    except fastact.BackendUnavailableError as error:
        return _fail(str(error))
    return 1 if arguments.fail_below is not None and summary.fails(arguments.fail_below) else 0


def _bench_cells(arguments: argparse.Namespace) -> Any:
    from fastact import bench

    sizes = BENCH_QUICK_SIZES if arguments.quick else BENCH_SIZES
    grid = bench.Grid(
        activations=arguments.activations,
        directions=arguments.directions,
        dtypes=arguments.dtypes,
        sizes=arguments.sizes or _list_of(_size)(sizes),
        threads=arguments.threads,
        output=arguments.output,
        inputs=arguments.inputs,
    )
    return bench.run(
        grid,
        arguments.peers,
        bench.QUICK if arguments.quick else bench.FULL,
        arguments.backend,
        arguments.precision,
        arguments.format == "markdown",
        arguments.json,
        arguments.plot,
    )


def _bench_layouts(arguments: argparse.Namespace) -> Any:
    defaults = arguments.parser.parse_args([])
    for name in BENCH_CELL_OPTIONS:
        if getattr(arguments, name) != getattr(defaults, name):
            arguments.parser.error(f"argument --{name}: not allowed with argument --layouts")

    from fastact import bench

    return bench.run_layouts(
        arguments.dtypes,
        arguments.threads,
        bench.layouts.QUICK if arguments.quick else bench.layouts.FULL,
        arguments.backend,
        arguments.precision,
        arguments.format == "markdown",
        arguments.json,
    )


# --- plot --------------------------------------------------------------------------------------


def _parameter(text: str) -> tuple[str, float]:
    """Return the name and the value in "negative_slope=0.2"."""
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER, got {text!r}")
    return name, number


def _plot_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Draw activations and their derivatives. Where one jumps, a filled dot is the value that "
        "it takes, and an open one a limit that it does not."
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "names", nargs="*", type=_activation, default=[], metavar="NAME", help="an activation"
    )
    which.add_argument(
        "--all", action="store_true", help="draw each activation into an .svg file of its own"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=_file(".png", ".svg"),
        metavar="FILE",
        help="the .png or .svg file to draw into; else NAME.png, of the first activation",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("gallery"),
        metavar="DIR",
        help="where --all saves its files",
    )
    parser.add_argument(
        "--range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="the ends of the x axis; else as far as shows all kinks",
    )
    parser.add_argument(
        "--set",
        action="append",
        type=_parameter,
        default=[],
        metavar="NAME=NUMBER",
        help="value of a parameter, for the activations that have it; may be repeated",
    )


def _plot(arguments: argparse.Namespace) -> int:
    if find_spec("matplotlib") is None:
        return _fail("plots need matplotlib; install it with: pip install 'fastact[plot]'")
    if arguments.all and (arguments.output or arguments.range or arguments.set):
        return _fail("--all draws each activation as its row says: it takes --directory only")
    if arguments.range and not 0 < arguments.range[1] - arguments.range[0] < math.inf:
        return _fail("--range must be two finite numbers, the lower one first")

    from fastact import plot

    try:
        if arguments.all:
            files = plot.save_gallery(arguments.directory)
        else:
            files = [arguments.output or Path(f"{arguments.names[0]}.png")]
            plot.save(files[0], arguments.names, dict(arguments.set), arguments.range)
    except (OSError, ValueError) as error:
        return _fail(str(error))
    print(*files, sep="\n")
    return 0


# --- verify ------------------------------------------------------------------------------------

#: A prime: every input of the last bits comes up. The whole catalogue takes seconds.
VERIFY_STRIDE = 10007


def _backend(text: str) -> str:
    try:
        return config.backend_name(config.check_backend("verify", text))
    except (ValueError, ImportError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Compute float32 results, for all 2^32 inputs or every n-th, compare them with the truth, "
        "and print the largest errors. The bounds are, with --precision faithful, 1 ulp, and with "
        "fast 4 ulp where the truth is normal and 2^-126 where it is subnormal; the status is 1 if "
        "an error is above. The truth is the float64 result of the Cython or the NumPy backend, "
        "whose own error (2 ulp of float64) the tests hold against mpmath. Lists are separated by "
        "commas. All activations take less than a minute, with --exhaustive less than an hour on "
        "two cores; a progress bar needs rich (pip install 'fastact[bench]')."
    )
    add = parser.add_argument
    add("names", nargs="*", type=_activation, metavar="NAME", help="activations; else all")
    inputs = parser.add_mutually_exclusive_group()
    inputs.add_argument("--exhaustive", action="store_true", help="take all 2^32 inputs")
    inputs.add_argument(
        "--stride",
        type=_integer(1, 2**32 - 1),
        default=VERIFY_STRIDE,
        metavar="N",
        help="take every n-th input; best a prime",
    )
    add(
        "--backends",
        type=_list_of(_backend),
        default=fastact.get_backend(),
        metavar="NAMES",
        help=", ".join(config.BACKEND_CHOICES),
    )
    add(
        "--directions",
        type=_list_of(_one_of("forward", "grad")),
        default="forward,grad",
        metavar="NAMES",
        help="forward, grad",
    )
    add(
        "--precision",
        choices=(*config.PRECISIONS, "both"),
        default="both",
        help="what is the same in both is swept once",
    )
    add(
        "--truth",
        type=_backend,
        choices=("cython", "numpy"),
        default="numpy" if config.cython_backend is None else "cython",
        help="backend of the truth",
    )
    add("--jobs", type=_threads, default="all", metavar="N", help="number of processes, or all")
    add("--json", type=_file(".json"), metavar="FILE", help="write all figures into a .json file")
    add(
        "--record",
        type=_file(".json"),
        metavar="FILE",
        help="replace what a .json file, such as fastact/measured_errors.json, has of the largest "
        "errors of the Cython backend, for docstrings and docs; function by function, so that a "
        "run can be stopped and go on with other names",
    )


def _verify(arguments: argparse.Namespace) -> int:
    from fastact import measured_errors, verify

    if arguments.record and "cython" not in arguments.backends:
        return _fail("--record takes the errors of the Cython backend; give --backends cython")
    if arguments.record:
        try:
            measured_errors.load(arguments.record)
        except ValueError as error:
            return _fail(f"--record must be a file of records, got {arguments.record}: {error}")
    cases = verify.cases(
        arguments.names or fastact.names(),
        arguments.directions,
        arguments.backends,
        config.PRECISIONS if arguments.precision == "both" else (arguments.precision,),
        arguments.truth,
        1 if arguments.exhaustive else arguments.stride,
    )
    return 0 if verify.run(cases, arguments.jobs, arguments.json, arguments.record) else 1


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
    Command(
        "bench",
        "measure fastact and the other libraries that are installed, side by side",
        _bench_arguments,
        _bench,
    ),
    Command(
        "plot",
        "draw activations and their derivatives into a file",
        _plot_arguments,
        _plot,
    ),
    Command(
        "verify",
        "sweep float32 inputs, all or every n-th, and hold the largest errors against the bounds",
        _verify_arguments,
        _verify,
    ),
)
