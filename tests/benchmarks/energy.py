"""What `execution.co2=true` costs.

    python tests/benchmarks/energy.py [--runs 5]

Prints how long codecarbon takes to find the hardware, what an interval costs that nothing happens in, and the encoding
of one task (MiniLM, the books of the Bible) with and without a meter, in turns: medians, ranges and the ratio. A job
has two intervals: one for its scores, and its part of one for what is encoded together.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from embedmark.runner.cli.main import main as embedmark
from embedmark.runner.execute.energy import Meter
from embedmark.runner.results.record import read_record

TASK = "BibleBookClustering"
INTERVALS = 200


def main() -> None:
    """Run the rounds and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    clock = perf_counter()
    meter = Meter("FRA")
    print(f"start: {perf_counter() - clock:.2f} s, {meter.source}")
    print(f"an empty interval: {1000 * statistics.median(_empty(meter) for _ in range(INTERVALS)):.1f} ms")
    took: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs + 1):
            for metered in (False, True):
                seconds = _encoded(Path(folder, f"{number}-{metered}"), metered=metered)
                if number:  # the first round opens files for the first time
                    took[metered].append(seconds)
    for metered, seconds_of in took.items():
        low, high = min(seconds_of), max(seconds_of)
        word = "with" if metered else "without"
        print(f"encoding {word} a meter: {statistics.median(seconds_of):.2f} s ({low:.2f} to {high:.2f})")
    print(f"ratio of medians: {statistics.median(took[True]) / statistics.median(took[False]):.3f}")


def _empty(meter: Meter) -> float:
    clock = perf_counter()
    with meter.interval():
        pass
    return perf_counter() - clock


def _encoded(outputs: Path, *, metered: bool) -> float:
    more = ["execution.co2=true", "execution.country=FRA"] if metered else []
    line = ["run", "model=minilm", f"tasks=[{TASK}]", f"outputs={outputs}", "execution.store=false", *more]
    assert embedmark(line) == 0
    (path,) = outputs.glob("jobs/*/result.json")
    return read_record(path).timing.encode_s


if __name__ == "__main__":
    main()
