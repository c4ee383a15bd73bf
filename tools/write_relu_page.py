"""Write docs/relu.md and its pictures: is ReLU six times faster?

    python tools/write_relu_page.py           write them
    python tools/write_relu_page.py --check   say whether they are stale, and write nothing

Whatever is said is read from docs/relu/*.json, which tools/measure_relu.py measures.
"""

from __future__ import annotations

import math
import statistics
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from refresh import refresh

ROOT = Path(__file__).resolve().parent.parent
# The package beside this script, which need not be built, and not one that is installed.
sys.path.insert(0, str(ROOT))
import relu_pictures  # noqa: E402
from relu_results import (  # noqa: E402
    BANDS,
    LESS,
    ONE,
    OTHERS,
    OUTPUTS,
    OWN,
    RESULTS,
    SIX,
    TWENTY,
    Band,
    Finding,
    Race,
    Row,
    byte_size,
    find,
    kernel_findings,
    load,
    of_source,
    race_findings,
    races,
    unique,
)

PAGE = ROOT / "docs" / "relu.md"
PICTURES = RESULTS
COMMAND = "python tools/write_relu_page.py"


def page() -> str:
    """Return the text of the page."""
    kernels, convergence = load("kernels"), load("convergence")
    parts = [
        "# Is ReLU six times faster?",
        f"<!-- Written from docs/relu/*.json by: {COMMAND} -->",
        *introduction(),
        *summary(kernels["cells"], races(convergence)),
        *on_kernels(kernels),
        *on_convergence(convergence, kernels["measured"]),
        *AGAIN,
    ]
    return "\n\n".join(parts) + "\n"


# --- words -------------------------------------------------------------------------------------


def paragraph(text: str, first: str = "") -> str:
    """Return the text in lines as long as those of the other pages."""
    return textwrap.fill(
        " ".join(text.split()),
        width=138,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def items(texts: Iterable[str]) -> str:
    return "\n".join(paragraph(text, "- ") for text in texts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def times(ratio: float) -> str:
    if not math.isfinite(ratio):
        return "never"
    if ratio < 0.95:
        return f"{ratio:.2f}"
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:,.0f}"


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def measured(facts: Row) -> str:
    caches = ", ".join(f"{name} {size}" for name, size in facts["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"Measured on {facts['date']} on {facts['processor']} ({facts['cpus']} processors, data "
        f"caches {caches or 'unknown'}, instruction set {facts['instruction_set']}), "
        f"{facts['system']}, with {versions}."
    )


# --- in short ----------------------------------------------------------------------------------


def introduction() -> list[str]:
    return [
        paragraph(
            """\
            relu(x) = max(x, 0) needs no exponential, and is said to be six times faster than
            sigmoid or tanh. The six comes from Krizhevsky, Sutskever and Hinton, [ImageNet
            classification with deep convolutional neural networks](https://doi.org/10.1145/3065386)
            (2012), figure 1: a four-layer convolutional network with ReLUs reaches 25% training
            error on CIFAR-10 six times faster than the same network with tanh, each at a learning
            rate chosen to be fast. That is counted in epochs; nobody timed a call. So there are two
            readings, and both are measured here:"""
        ),
        "1. **Kernel time**: how many times as long as relu does a call of another function take?\n"
        "2. **Convergence**: how many times as many updates as with relu does a network need?",
        paragraph(
            """\
            Every number, and what is said of it, comes from measurements on one machine; below is
            how to measure on yours."""
        ),
    ]


def summary(cells: Sequence[Row], found: Sequence[Race]) -> list[str]:
    own, others = find(cells, source=OWN), [cell for cell in cells if cell["source"] != OWN]
    groups = [kernel_findings(own), kernel_findings(others), race_findings(found)]
    rows = [
        *((f"fastact, {byte_size(s)}", kernel_findings(find(own, bytes=s))) for s in sizes(own)),
        *((s, kernel_findings(find(others, source=s))) for s in unique(others, "source")),
        ("convergence", groups[-1]),
    ]
    return [
        "## In short",
        paragraph(
            f"""\
            **Kernel time**, fastact's {shares(groups[0])}. Some of them, float32 on one thread, the
            time over relu's:"""
        ),
        kernels_in_short(own),
        paragraph(
            f"""\
            **Convergence**, {shares(groups[-1])}. {the_claim(found)} All of them, the updates over
            relu's:"""
        ),
        races_in_short(found),
        "How many ratios are in which range, by size of the arrays and by library:",
        table(
            ["", *(f"{band.title} ({interval(band)})" for band in BANDS)],
            [[title, *(str(len(b.of(of)) or "") for b in BANDS)] for title, of in rows],
        ),
        items(
            f"**{band.title.capitalize()}**: {examples(band, groups)}."
            for band in (SIX, ONE, LESS, TWENTY)
        ),
    ]


def sizes(cells: Iterable[Row]) -> list[int]:
    return sorted(unique(cells, "bytes"))


def shares(findings: Sequence[Finding]) -> str:
    """Tell how many ratios are in the bands that have a name of their own."""
    counts = [f"{len(b.of(findings)) or 'none'} {b.title}" for b in (SIX, ONE, LESS, TWENTY)]
    return f"{len(findings)} ratios: {listed(counts)}"


def the_claim(found: Sequence[Race]) -> str:
    """Tell how the race of the claim comes out."""
    race = found[0]
    return (
        f"The race of the paper, with tanh in {race.setting} to {race.target:.0%} training error, "
        f"comes out at {times(race.updates_ratio('tanh'))} here."
    )


def kernels_in_short(own: Sequence[Row]) -> str:
    """Return the ratios in the nearest cache and in memory."""
    near, far = sizes(own)[0], sizes(own)[-1]
    kinds = [
        ("forward", near, "out"),
        ("forward", far, "out"),
        ("forward", far, "fresh"),
        ("backward", near, "out"),
        ("backward", far, "out"),
    ]
    rows = []
    for direction, size, output in kinds:
        of = find(own, direction=direction, bytes=size, output=output, threads=1)
        ratios = [find(of, activation=name)[0]["ratio"] for name in OTHERS]
        title = f"{direction}, arrays of {byte_size(size)}, output: {OUTPUTS[output]}"
        rows.append([title, *map(times, ratios)])
    return table(["", *OTHERS], rows)


def races_in_short(found: Sequence[Race]) -> str:
    return table(
        ["", *found[0].others],
        [
            [
                f"{race.setting}, to {race.target:.0%} training error",
                *(times(race.updates_ratio(name)) for name in race.others),
            ]
            for race in found
        ],
    )


def interval(band: Band) -> str:
    if not band.low:
        return f"below {band.high:g}"
    return f"{band.low:g} to {band.high:g}" if math.isfinite(band.high) else f"from {band.low:g}"


def examples(band: Band, groups: Sequence[Sequence[Finding]]) -> str:
    """Return the two findings of each group that are nearest to the number of the band."""
    nearest = [finding for group in groups for finding in band.of(group)[:2]]
    texts = [f"{times(ratio)} ({where})" for ratio, where in nearest]
    return "; ".join(texts) or "nowhere in these measurements"


# --- kernel time -------------------------------------------------------------------------------


def on_kernels(results: Row) -> list[str]:
    cells = results["cells"]
    own = find(cells, source=OWN)
    rounds = [cell["rounds"] for cell in cells]
    others = [cell for cell in cells if cell["activation"] != "relu"]
    spread = statistics.median(
        (high - low) / cell["ratio"] / 2 for cell in others for low, high in [cell["quartiles"]]
    )
    all_sizes = listed([byte_size(size) for size in sizes(cells)])
    return [
        "## Reading 1: kernel time",
        paragraph(
            f"""\
            {measured(results["measured"])} Inputs are float32, normal with a standard deviation of
            3. All functions of a cell take turns in one process: a round is a sample of each, of at
            least 0.2 ms, and a ratio is the median of {min(rounds)} to {max(rounds)} rounds of
            the function's time over relu's in the same round; in the median cell half of the
            rounds are within {spread:.1%} of it."""
        ),
        paragraph(
            f"""\
            Arrays are of {all_sizes}: on many processors two or three of them fit into the first,
            second and third cache, or into none. "warm" writes into an array that is there
            (`out=`); "new" returns a new one, whose memory, from 2 MiB on, fastact takes from
            outputs that were freed; "fresh pages" is that with `set_pool_limit(0)`, so that the
            system has to clear pages for it."""
        ),
        "Forward; after relu's own time, times over relu's with one / two threads:",
        own_table(find(own, direction="forward"), arrays=2),
        paragraph(
            """\
            Backward, grad_output times the derivative. sigmoid and tanh get their output, as in the
            frameworks, from which the derivative takes no exponential; "from x" they get x, as the
            others do:"""
        ),
        own_table(find(own, direction="backward"), arrays=3),
        "![fastact: times over relu's by size of the arrays](relu/kernels.svg)",
        paragraph(on_memory(find(own, direction="forward", threads=1, output="out"))),
        paragraph(
            f"""\
            It also matters who computes. One thread, arrays of {all_sizes}: relu's ns per element,
            then times over the same library's relu. Outputs are warm, but new with PyTorch, whose
            calls return new ones, and with NumPy, where the formulas are `np.maximum(x, 0)`,
            `1 / (1 + np.exp(-x))`, `np.tanh(x)` and
            `np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))`; it has no erf for gelu."""
        ),
        sources_table(cells, "forward"),
        sources_table(cells, "backward"),
        "![Times over relu's by library](relu/sources.svg)",
    ]


def own_table(cells: Sequence[Row], arrays: int) -> str:
    """Return relu's time and the ratios for each size and output; so many arrays are moved."""
    names = [name for name in unique(cells, "activation") if name != "relu"]
    rows = []
    for size in sizes(cells):
        for output in unique(cells, "output"):
            of = find(cells, bytes=size, output=output)
            nanoseconds = find(of, activation="relu", threads=1)[0]["nanoseconds"]
            ratios = {name: [c["ratio"] for c in find(of, activation=name)] for name in names}
            rows.append(
                [
                    byte_size(size),
                    OUTPUTS[output],
                    f"{nanoseconds / (size / 4):.3f}",
                    f"{arrays * size / nanoseconds:,.0f}",
                    *(" / ".join(map(times, ratios[name])) for name in names),
                ]
            )
    return table(["arrays", "output", "relu: ns per element", "relu: GB/s", *names], rows)


def on_memory(cells: Sequence[Row]) -> str:
    """Tell what makes the ratio fall: relu's time, or the price of the exponential."""
    near, far = sizes(cells)[0], sizes(cells)[-1]

    def per_element(name: str, size: int) -> float:
        return float(find(cells, activation=name, bytes=size)[0]["nanoseconds"]) / (size / 4)

    relu = [per_element("relu", size) for size in (near, far)]
    more = [
        f"{name} {per_element(name, near) - relu[0]:.2f} and {per_element(name, far) - relu[1]:.2f}"
        for name in OTHERS
    ]
    return (
        f"From {byte_size(near)} to {byte_size(far)}, forward into a warm output on one thread, "
        f"relu's time per element goes from {relu[0]:.3f} to {relu[1]:.3f} ns, "
        f"{times(relu[1] / relu[0])} times as much. What the others take beyond relu, in ns here "
        f"and there: {listed(more)}. A ratio tells as much about the distance of the data as about "
        "the function."
    )


def sources_table(cells: Sequence[Row], direction: str) -> str:
    rows = []
    for source in unique(cells, "source"):
        of = of_source(cells, source, direction)
        relu = [c["nanoseconds"] / (c["bytes"] / 4) for c in find(of, activation="relu")]
        ratios = [[times(c["ratio"]) for c in find(of, activation=name)] for name in OTHERS]
        rows.append([source, ", ".join(f"{time:.2g}" for time in relu), *map(", ".join, ratios)])
    return table([direction, "relu: ns per element", *OTHERS], rows)


# --- convergence -------------------------------------------------------------------------------


def on_convergence(results: Row, machine: Row) -> list[str]:
    """Tell of the races, and where they were measured, if not on the same machine."""
    protocol, found = results["protocol"], races(results)
    same = results["measured"] == machine
    where = "Measured on the same machine and day." if same else measured(results["measured"])
    targets = listed([f"{target:.0%}" for target in protocol["targets"]])
    rates = protocol["rates"]
    return [
        "## Reading 2: convergence",
        paragraph(
            f"""\
            {where} The data are the {protocol["images"]:,} training images
            of `fastact demo`, handwritten digits of 8 x 8 pixels from scikit-learn, which are far
            easier than CIFAR-10. The networks are plain NumPy with fastact's activations
            (`tools/convolutional_network.py`), with convolutions of 3 x 3 pixels, without padding.
            Training is gradient descent on the cross-entropy of softmax, with momentum
            {protocol["momentum"]}, batches of {protocol["batch_size"]},
            {protocol["updates_per_epoch"]} updates an epoch, and no regularisation, as in the
            paper."""
        ),
        paragraph(
            """\
            Weights start normal with standard deviation gain / sqrt(inputs of a unit), biases at 0.
            A gain of 1 / f'(0), or of sqrt(2) for relu, which cuts half off, lets the size of small
            signals survive a layer; 1 is what one takes without a look at the activation."""
        ),
        network_table(results["settings"]),
        paragraph(
            f"""\
            The learning rate is tuned for each network, activation and training error ({targets}):
            of {len(rates)} from {rates[0]:.2g} to {rates[-1]:.2g}, each twice the one before, it is
            the one with the least mean of updates over {len(protocol["tuning_seeds"])} seeds; a run
            that has not arrived after {protocol["most_epochs"]} epochs counts as these.
            {sentence(edges(found, rates))} The figures are of {len(protocol["seeds"])} other seeds,
            which set weights and order of images, the same for all activations. The error
            on all training images is looked at after every update, later after every sixteenth of
            the updates made so far. Times are those of the updates alone, BLAS on one thread."""
        ),
        race_table(found, protocol["updates_per_epoch"]),
        items(told(race) for race in found),
        "![Training error against epochs](relu/convergence.svg)",
        paragraph(on_digits(found, protocol["updates_per_epoch"])),
    ]


def network_table(settings: Sequence[Row]) -> str:
    names = list(settings[0]["gains"])
    return table(
        ["network", "layers", *(f"gain with {name}" for name in names)],
        [
            [s["title"], ", ".join(s["layers"]), *(f"{s['gains'][name]:.3g}" for name in names)]
            for s in settings
        ],
    )


def edges(found: Sequence[Race], rates: Sequence[float]) -> str:
    """Tell which of the best learning rates are at an end of what was tried."""
    at_end = [
        f"{name} ({race.setting}, {race.target:.0%})"
        for race in found
        for name, rate in race.rates.items()
        if rate in (rates[0], rates[-1])
    ]
    if not at_end:
        return "no best rate is at an end of what was tried"
    return f"the best is at an end of what was tried for {listed(at_end)}"


def race_table(found: Sequence[Race], updates_per_epoch: int) -> str:
    header = [
        "network",
        "training error",
        "activation",
        "learning rate",
        "arrived",
        "updates",
        "(range)",
        "epochs",
        "ms",
        "updates over relu's",
        "time over relu's",
    ]
    rows = []
    for race in found:
        for name, updates in race.updates.items():
            median = statistics.median(updates)
            over_relu = [times(race.updates_ratio(name)), times(race.seconds_ratio(name))]
            rows.append(
                [
                    *([race.setting, f"{race.target:.0%}"] if name == "relu" else ["", ""]),
                    name,
                    f"{race.rates[name]:.2g}",
                    f"{arrived(updates)} of {len(updates)}",
                    number(median),
                    f"{number(min(updates))} to {number(max(updates))}",
                    number(median / updates_per_epoch),
                    number(1e3 * statistics.median(race.seconds[name])),
                    *(["", ""] if name == "relu" else over_relu),
                ]
            )
    return table(header, rows)


def arrived(updates: Sequence[float]) -> int:
    return sum(map(math.isfinite, updates))


def number(value: float) -> str:
    if math.isinf(value):
        return "never"
    return f"{value:.2g}" if value < 9.95 else f"{value:,.0f}"


def told(race: Race) -> str:
    """Tell in words how the others did against relu."""
    others = "; ".join(against_relu(race, name) for name in race.others)
    return sentence(f"{race.setting}, to {race.target:.0%} training error: {others}")


def against_relu(race: Race, name: str) -> str:
    updates = race.updates[name]
    if not 0 < race.updates_ratio(name) < math.inf:
        relu = race.updates["relu"]
        return (
            f"{name} arrives in {arrived(updates)} of {len(updates)} runs, relu in {arrived(relu)}"
        )
    pairs = zip(race.updates["relu"], updates, strict=True)
    sooner = sum(relu < other for relu, other in pairs)
    return (
        f"{name} takes {times(race.updates_ratio(name))} times the updates and "
        f"{times(race.seconds_ratio(name))} times the time of relu, which is sooner with "
        f"{sooner} of {len(updates)} seeds"
    )


def on_digits(found: Sequence[Race], updates_per_epoch: int) -> str:
    """Tell what these races do not show."""
    first = found[0]
    epochs = [
        f"{number(statistics.median(updates) / updates_per_epoch)} with {name}"
        for name, updates in first.updates.items()
    ]
    spans = []
    for name in first.others:
        ratios = sorted(race.updates_ratio(name) for race in found)
        spans.append(f"{times(ratios[0])} to {times(ratios[-1])} for {name}")
    return (
        "What this does not show: digits are easy. In epochs, the first network takes to "
        f"{first.target:.0%} training error {listed(epochs)}; the paper's takes several with relu "
        "and dozens with tanh on CIFAR-10. These are races over the first updates, not over a "
        f"training. Even so the updates over relu's go from {listed(spans)}, with the depth of "
        "the network, the scale of its first weights and the error that is asked for: a claim "
        "about an activation alone is none about convergence."
    )


# --- again -------------------------------------------------------------------------------------

AGAIN = (
    "## Measuring again",
    "With nothing else running, in minutes; PyTorch is measured where it is installed:",
    f"""\
```sh
pip install '.[bench,demo,numba]'
python tools/measure_relu.py kernels      # docs/relu/kernels.json
python tools/measure_relu.py convergence  # docs/relu/convergence.json
{COMMAND}          # this page and its pictures
```""",
    "`fastact demo` prints the short form, measured while you wait.",
)


def main(arguments: list[str]) -> int:
    status = refresh(PAGE, page(), arguments, COMMAND, __doc__)
    if status == 0 and not arguments:
        relu_pictures.draw_all(PICTURES)
    elif status == 0 and (stale := relu_pictures.stale(PICTURES)):
        print(f"stale in docs/relu: {listed(stale)}; refresh them with: {COMMAND}")
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
