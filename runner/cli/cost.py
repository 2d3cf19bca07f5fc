"""`plan --cost`: how many texts and tokens the pending jobs have left, and what a service asks for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from embedmark.runner.common.errors import FAILED, OK
from embedmark.runner.common.terminal import open_console
from embedmark.runner.config.schema import Settings
from embedmark.runner.plan import Plan


def show_cost(made: Plan, states: Mapping[str, str], settings: Settings, *, as_json: bool) -> int:
    """Print what a plan would have to encode; FAILED where some of its texts could not be read."""
    from embedmark.runner.execute.cost import Cost, estimate
    from embedmark.runner.execute.jobs import data_note

    # A job that is done again still finds its texts in the store.
    pending = [job for job in made.jobs if settings.rerun or states[job.fingerprint] != "done"]
    cost = Cost(0, 0, 0, counted=True)
    if pending:
        cost = estimate(made.model, pending, settings.execution, Path(settings.outputs))
    price = made.model.config.about.price_per_million_tokens
    dollars = None if price is None else cost.tokens * price / 1e6
    if as_json:
        values = {
            "texts": cost.texts,
            "texts_to_encode": cost.missing,
            "tokens": cost.tokens,
            "tokens_are": "counted" if cost.counted else "estimated",
            "usd": dollars,
            "data": {job.name: {finding.name: finding.count for finding in found} for job, found in cost.findings},
            "not_counted": {job.name: reason for job, reason in cost.unread},
        }
        print(json.dumps({"model": made.model.name, "cost": values}))
        return FAILED if cost.unread else OK
    console = open_console(soft_wrap=True)
    stored = cost.texts - cost.missing
    console.print(f"distinct texts to encode: {cost.missing:,}{f', and {stored:,} more are stored' if stored else ''}")
    how = "counted by the model's tokenizer" if cost.counted else "an estimate: a token is taken to be 4 characters"
    console.print(f"tokens: {cost.tokens:,} ({how})")
    if dollars is not None:
        told = f"about {dollars:,.2f}" if dollars >= 0.01 or not cost.tokens else "less than 0.01"
        console.print(f"price: {told} USD, at {price:g} USD a million tokens as the model's file says")
    for job, found in cost.findings:
        if note := data_note(job, found):
            console.print(f"data: {note}")
    for job, reason in cost.unread:
        console.print(f"not counted: {job.name}: {reason}")
    return FAILED if cost.unread else OK
