"""An outputs folder for a small site: some models of the field, one of one's own, and strangers with hostile names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
from planned_records import config, measure

from embedmark.runner.exchange import snapshot, store

BENCHMARKS = ("MTEB(Multilingual, v2)", "MTEB(eng, v2)", "MTEB(deu, v1)", "Few")
"""With many languages; of one; small; and with too few tasks to tell models apart."""

FEW = ("STS12", "STS13", "STSBenchmark", "Banking77Classification")

MODELS = 36
"""Of the field, those with the most scores; a table of them has rows that are not drawn at first."""

HOSTILE = (
    "evil/<img src=x onerror=alert(1)>",
    "evil/</script><script>alert(2)</script>",
    "evil/'\"><svg/onload=alert(3)>&amp;{{ 7*7 }}",
    "evil/\u202egnp.exe\u202c-\u200bzero\u200d",
    "evil/bell\x07-escape\x1b[31m-null\x00-\x85",
    "evil/line\u2028separator\u2029\ttab",
    "עברית/דגם-\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    '=HYPERLINK("https://example.org")',
    "evil/" + "long" * 60,
)
"""Names as a stranger's table of scores could have them."""

OWN = "here/measured"


def small_project(folder: Path) -> Path:
    """Write a config folder with a model of one's own, and a benchmark of too few tasks to tell models apart."""
    config(folder, "model/own.yaml", name=OWN, source={"hub": OWN}, revision="a" * 40)
    config(folder, "benchmark/few.yaml", name="Few", tasks=list(FEW))
    return folder


def small_outputs(folder: Path, project: Path) -> Path:
    """Fill a folder as imports and a run would, without the checks of names that an import makes."""
    published = snapshot.scores().collect()
    names = pl.col("model").cast(pl.String)
    most = published["model"].cast(pl.String).value_counts(sort=True).head(MODELS)["model"].to_list()
    kept = published.filter(names.is_in(most))
    strangers = [kept.filter(names == most[n]).with_columns(model=pl.lit(name)) for n, name in enumerate(HOSTILE)]
    scores = pl.concat([one.cast({"model": pl.String}) for one in (kept, *strangers)])
    texts = [pl.lit(None, pl.String).alias(name) for name in store.COLUMNS if name not in scores.columns]
    day = pl.lit(date(2026, 1, 1)).alias("imported_at")
    scores = scores.with_columns(texts).with_columns(day, origin=pl.lit("published"))
    store.add(folder, scores.select(*store.COLUMNS))
    measure(project, "model=own", f"tasks=[{','.join(FEW)}]", score=0.8, outputs=folder)
    return folder
