"""`model new`: a model's file, drafted from its checkpoint."""

from __future__ import annotations

import shlex
from pathlib import Path

from embedmark.runner.common.errors import OK, UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.common.text import say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.draft.checkpoint import open_checkpoint
from embedmark.runner.draft.model import choice_of, draft

FIRST_RUN = {"cross_encoder": "tasks=[AskUbuntuDupQuestions]"}
"""What a drafted model is tried on first, by its loader; all others on what needs no network."""


def new(name: str, folder: Path, *, force: bool) -> int:
    """Write FOLDER/model/<slug>.yaml and print how to run it. Raises UserError and JobError."""
    checkpoint = open_checkpoint(name)
    path = folder / "model" / f"{choice_of(checkpoint.name)}.yaml"
    if path.exists() and not force:
        raise UserError(f"{path} exists already; give another folder with --out, or --force to write it anew")
    catalogue = Catalogue()
    text, config = draft(checkpoint, {*catalogue.tasks, *catalogue.labels})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text, durable=False)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}; give another folder with --out") from error
    say(f"wrote {path}: loader {config.loader}")
    if (shipped := catalogue.models.get(config.name)) is not None:
        say(f"the catalogue has this model already, as model={shipped.choice}; with --config-dir yours goes before it")
    tried = FIRST_RUN.get(config.loader, "benchmark=quickstart")
    say(f"next: python -m runner --config-dir {shlex.quote(str(folder))} model={path.stem} {tried}")
    return OK
