"""False claims and power of paired tests, simulated.

    python tests/benchmarks/power.py [--quick]

Each line says how many data sets it is of. Claims are made at 5 %.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ttest_ind

from embedmark.runner.stats import influence, paired
from embedmark.runner.stats.means import mean_of_tasks
from embedmark.runner.stats.sample import Sample, of_values

Floats = NDArray[np.float64]
TASKS = 41


def main() -> None:
    """Print all."""
    scale = 0.1 if "--quick" in sys.argv else 1
    families_of_tests(int(1000 * scale))
    against_unpaired(int(1000 * scale))
    other_metrics(int(2000 * scale))
    crossed(int(1000 * scale))
    visible(int(2000 * scale))
    over_tasks(int(2000 * scale))


def both(generator: np.random.Generator, n: int, rho: float, difference: float = 0.0) -> tuple[Floats, Floats]:
    """Skewed values between 0 and 1 of two models on the same units, correlated by about rho."""
    shared = generator.normal(size=n)
    made = [np.sqrt(rho) * shared + np.sqrt(1 - rho) * generator.normal(size=n) for _ in range(2)]
    a, b = (1 / (1 + np.exp(-(1.6 * one + 0.5))) for one in made)
    return a + difference, b


def sample(values: Floats) -> Sample:
    """Of a mean."""
    return of_values(values, np.arange(len(values), dtype=np.uint64), "query", "plain")


def compared(a: Sample, b: Sample) -> paired.Paired:
    """The paired test."""
    made = paired.compare([(1.0, a, b)])
    assert isinstance(made, paired.Paired)
    return made


def families_of_tests(sets: int) -> None:
    """41 tasks of 50 to 1,000 items: any false claim, and with ten true differences also what is found."""
    generator = np.random.default_rng(0)
    for true in (0, 10):
        found: dict[str, list[float]] = {"holm": [], "bh": [], "unpaired": []}
        false: dict[str, list[bool]] = {name: [] for name in found}
        share = []
        for _ in range(sets):
            p, unpaired = np.empty(TASKS), np.empty(TASKS)
            for task in range(TASKS):
                a, b = both(generator, int(generator.integers(50, 1000)), 0.6, 0.02 if task < true else 0.0)
                p[task], unpaired[task] = compared(sample(a), sample(b)).p, ttest_ind(a, b).pvalue
            adjusted = {"holm": paired.holm(p), "bh": paired.benjamini_hochberg(p), "unpaired": paired.holm(unpaired)}
            for name, values in adjusted.items():
                claims = values < 0.05
                false[name].append(bool(claims[true:].any()))
                found[name].append(float(claims[:true].mean()) if true else 0.0)
            claims = adjusted["bh"] < 0.05
            share.append(claims[true:].sum() / max(claims.sum(), 1))
        print(f"{TASKS} tasks, {true} true differences, {sets} sets: any false claim", end="")
        print(", ".join(f" {name} {100 * np.mean(values):.1f} %" for name, values in false.items()))
        if true:
            print("  found:", ", ".join(f"{name} {100 * np.mean(values):.1f} %" for name, values in found.items()))
            print(f"  false share of claims under bh {100 * np.mean(share):.1f} %")


def against_unpaired(sets: int) -> None:
    """The paired test beside the one that forgets which items were the same."""
    generator = np.random.default_rng(1)
    for rho, difference in ((0.4, 0.045), (0.7, 0.03)):
        for n in (50, 200, 1000):
            claims, rhos = [], []
            for _ in range(sets):
                a, b = both(generator, n, rho, difference * np.sqrt(200 / n))
                made = compared(sample(a), sample(b))
                claims.append((made.p < 0.05, ttest_ind(a, b).pvalue < 0.05))
                rhos.append(made.rho or 0.0)
            own, other = 100 * np.mean(claims, axis=0)
            print(f"correlation {np.mean(rhos):.2f}, {n} items, {sets} sets: {own:.1f} % against {other:.1f} %", end="")
            print(f" unpaired: {own / max(other, 0.1):.1f} times")


def other_metrics(sets: int) -> None:
    """Spearman and average precision of two models on the same pairs: false claims, and what is found."""
    generator = np.random.default_rng(2)
    for name in ("spearman", "average precision"):
        for gain in (0.0, 0.25):
            claims = [_compared_pairs(generator, name, gain).p < 0.05 for _ in range(sets)]
            what = "false claims" if gain == 0 else "found"
            print(f"{name}, 500 pairs, {sets} sets: {what} {100 * np.mean(claims):.1f} %")


def _compared_pairs(generator: np.random.Generator, name: str, gain: float) -> paired.Paired:
    n = 500
    truth, shared = generator.normal(size=n), generator.normal(size=n)
    made = [truth * (1 + extra) + 0.9 * shared + 0.6 * generator.normal(size=n) for extra in (gain, 0.0)]
    gold: Floats = np.round(truth, 1) if name == "spearman" else (truth > 0.5).astype(float)
    of = influence.of_spearman if name == "spearman" else lambda x, y: influence.of_average_precision(y, x)
    samples = []
    for similarity in made:
        score = _score(name, gold, similarity)
        psi = of(gold, similarity)[None]
        samples.append(Sample(score, psi, np.array([score]), np.arange(n, dtype=np.uint64), "pair"))
    return compared(*samples)


def _score(name: str, gold: Floats, similarity: Floats) -> float:
    from scipy.stats import spearmanr
    from sklearn.metrics import average_precision_score

    if name == "spearman":
        return float(spearmanr(gold, similarity).statistic)
    return float(average_precision_score(gold, similarity))


def crossed(sets: int) -> None:
    """Two equal models that learn from the same ten draws: false claims of the crossed test, and of rows alone."""
    generator = np.random.default_rng(3)
    for n in (200, 1000, 5000):
        claims = []
        for _ in range(sets):
            row, draw = generator.normal(size=n), generator.normal(0, 0.15, (10, 1))
            made = []
            for _ in range(2):
                own = row + 0.7 * generator.normal(size=n)
                logit = own + draw + generator.normal(0, 0.12, (10, 1)) + generator.normal(0, 0.8, (10, n))
                made.append((logit > -0.4).astype(float))
            a, b = (_crossed(values) for values in made)
            rows = compared(sample(made[0].mean(axis=0)), sample(made[1].mean(axis=0)))
            claims.append((compared(a, b).p < 0.05, rows.p < 0.05))
        own, rows_alone = 100 * np.mean(claims, axis=0)
        told = f"false claims {own:.1f} %, by rows alone {rows_alone:.1f} %"
        print(f"classification, {n} rows × 10 draws, {sets} sets: {told}")


def _crossed(values: Floats) -> Sample:
    scores = values.mean(axis=1)
    unit = np.arange(values.shape[1], dtype=np.uint64)
    return Sample(float(scores.mean()), values - scores[:, None], scores, unit, "row")


def visible(sets: int) -> None:
    """How often the smallest visible difference is seen."""
    generator = np.random.default_rng(4)
    for n in (50, 200, 1000):
        a, b = both(generator, 200_000, 0.6)
        se = (a - b).std() / np.sqrt(n)
        difference = paired.smallest_visible(float(se), n - 1)
        pairs = (both(generator, n, 0.6, difference) for _ in range(sets))
        seen = [compared(sample(x), sample(y)).p < 0.05 for x, y in pairs]
        print(f"smallest visible difference, {n} items, {sets} sets: seen {100 * np.mean(seen):.1f} %")


def over_tasks(sets: int) -> None:
    """41 tasks in 36 families without any difference: false claims over families, and over tasks as if alone."""
    generator = np.random.default_rng(5)
    families = np.append(np.arange(36), [0, 1, 2, 3, 4])
    for name, draw in (("normal", generator.normal), ("t with 3 degrees", lambda size: generator.standard_t(3, size))):
        claims = []
        for _ in range(sets):
            of_family, own = draw(size=36), draw(size=TASKS)
            difference = np.sqrt(0.8) * of_family[families] + np.sqrt(0.2) * own
            pair = (mean_of_tasks(difference, of, [None] * TASKS).p_tasks for of in (families, np.arange(TASKS)))
            claims.append([p is not None and p < 0.05 for p in pair])
        own_claims, alone = 100 * np.mean(claims, axis=0)
        told = f"false claims {own_claims:.1f} %, tasks as if alone {alone:.1f} %"
        print(f"tasks like these, {name}, {sets} sets: {told}")


if __name__ == "__main__":
    main()
