"""List models with published scores that are not among the known ones: `python -m tools.aliases FACTS`.

FACTS is as tools/snapshot.py reads it. Each line is a candidate for runner/exchange/aliases.yaml, for a person to see.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl

from embedmark.runner.common.names import folder_form, similar
from embedmark.runner.exchange.names import of_folder, present_model


def candidates(published: list[str], known: list[str]) -> dict[str, list[str]]:
    """Find, for each published name that is not known and has no alias, the known ones it may stand for.

    Args:
        published: Names as results have them; of folders, blanks are underscores there.
        known: Names as models are called today.

    Returns:
        Published name → known names: that of the same folder, else of another organisation, else similar ones.
    """
    folders = {folder_form(name): name for name in known}
    by_model: dict[str, list[str]] = {}
    for name in known:
        by_model.setdefault(name.rpartition("/")[2], []).append(name)
    found = {}
    for name in published:
        told = of_folder(folder_form(name)) or name
        if name in known or told in known or present_model(told) in known:
            continue
        same = folders.get(folder_form(name))
        found[name] = [same] if same else by_model.get(name.rpartition("/")[2]) or similar(name, known)
    return found


if __name__ == "__main__":
    facts = Path(sys.argv[1])
    lines = (facts / "models.jsonl").read_text(encoding="utf-8").splitlines()
    names = (
        pl.read_parquet(facts / "results" / "main_scores.parquet")["model"].cast(pl.String).unique().sort().to_list()
    )
    for alias, names_today in candidates(names, [json.loads(line)["name"] for line in lines]).items():
        sys.stdout.write(f"{alias}: {' or '.join(names_today) or 'nothing like it'}\n")
