"""`inspect`: the worst items of a job, or those on which two part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embedmark.runner.cli.signing import named
from embedmark.runner.common.errors import OK, UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.inspect.inspect import parted, worst_of
from embedmark.runner.inspect.view import as_json, as_page, as_text
from embedmark.runner.results.durable import writing

_FORMS = {"text": as_text, "json": as_json, "html": as_page}


def inspect(jobs: Sequence[str], outputs: Path, folders: Sequence[Path], most: int, form: str, out: Path | None) -> int:
    """Print, or write, the items of one job or two.

    Args:
        jobs: One or two, each by its folder or digits of its fingerprint.
        outputs: The folder of results.
        folders: The user's own config folders.
        most: How many items.
        form: "text", "json" or "html".
        out: Where to write; printed where it is None.

    Raises:
        UserError: A job is not there, or cannot be looked into.
        OutputError: The file cannot be written.
    """
    if len(jobs) > 2:
        raise UserError(f"inspect: found {len(jobs)} jobs; give one, or two to compare")
    if most < 1:
        raise UserError(f"-n: found {most}; expected how many items to show")
    catalogue = Catalogue.of(folders)
    one, *others = named(jobs, outputs)
    view = parted(one, others[0], catalogue, outputs, most) if others else worst_of(one, catalogue, outputs, most)
    text = _FORMS[form](view)
    if out is None:
        say(text)
        return OK
    with writing(out):
        write_atomically(out, f"{text}\n", durable=False)
    say(f"{out}: {counted(len(view.items), 'item')}")
    return OK
