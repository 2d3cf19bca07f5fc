"""`bundle`: an archive made of a plan, and run where there is no network."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from embedmark.runner.bundle.archive import refuse_no_room_for, size_of, unpack, write
from embedmark.runner.common.errors import OK, OutputError, UserError
from embedmark.runner.common.text import counted, say

_EXECUTING = ("outputs=", "execution=", "execution.", "rerun=")
"""Overrides that change no job."""


def bundle(overrides: Sequence[str], folders: Sequence[Path], out: Path) -> int:
    """Put all that a plan needs into one archive.

    Args:
        overrides: Of a plain run.
        folders: The user's own config folders.
        out: The archive.

    Raises:
        UserError: A mistake in the plan, or something that has no place in an archive, or the disk has no room.
        JobError: The hub cannot be reached.
        OutputError: The archive cannot be written.
    """
    from embedmark.runner.bundle.contents import contents_of
    from embedmark.runner.config.command_line import split_search_path
    from embedmark.runner.config.compose import settings_from
    from embedmark.runner.display.progress import display
    from embedmark.runner.pins import default_pins
    from embedmark.runner.plan import make_plan

    if out.is_dir():
        raise UserError(f"--out {out}: a folder; give the file to write, such as {out / 'bundle.tar'}")
    kept, more = split_search_path(overrides)
    settings, catalogue = settings_from(kept, [*folders, *more])
    plan = make_plan(settings, catalogue, default_pins())
    with display() as progress:
        contents = contents_of(settings, plan, catalogue, progress)
    manifest = contents.manifest
    kinds = ", ".join(f"{kind} {_size(size)}" for kind, size in contents.kinds.items() if size)
    jobs = f"{counted(len(plan.by_task), 'task')}, {counted(len(manifest.jobs), 'job')}"
    say(f"{plan.model.name}: {jobs}: {counted(len(manifest.files), 'file')}, {kinds}")
    for task in plan.awaiting:
        say(f"left out: {task.task}: {task.reason}")
    say(f"{out}: {_size(size_of(manifest))} to write")
    with _writing(out, "--out FILE"):
        out.parent.mkdir(parents=True, exist_ok=True)
        refuse_no_room_for(out, manifest)
        write(out, manifest, contents.sources)
    say(f"written; there: `python -m runner bundle --run {shlex.quote(out.name)}`")
    _say_needs(manifest.embedmark, manifest.needs)
    return OK


def run_bundle(archive: Path, more: Sequence[str], folder: Path | None, *, trusted: bool = False) -> int:
    """Unpack an archive where that was not done, and run its plan with nothing but what is in it.

    Args:
        archive: The archive, or the folder it was unpacked into.
        more: Overrides that only execute, as `outputs=there` or `execution.threads=4`.
        folder: Where to unpack; beside the archive by default.
        trusted: Whether code of the model's own, which came in the archive, may run.

    Raises:
        UserError: It is no bundle or damaged, or gives other jobs here than where it was made.
        OutputError: The folder cannot be written.
    """
    for override in more:
        if not override.startswith(_EXECUTING):
            raise UserError(
                f"bundle --run: {override[:100]!r} cannot be changed: a bundle is for the jobs it was made of. "
                "outputs=, execution. and rerun= can"
            )
    unpacked = archive if archive.is_dir() else _unpacked(archive, folder)
    return _run(unpacked.resolve(), list(more), trusted=trusted)


@contextmanager
def _writing(path: Path, option: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise OutputError(f"{where}: cannot be written: {error.strerror}; give another place by {option}") from error


def _unpacked(archive: Path, folder: Path | None) -> Path:
    folder = folder or (archive.with_suffix("") if archive.suffix else archive.with_name(f"{archive.name}.unpacked"))
    with _writing(folder, "--folder FOLDER"):
        manifest = unpack(archive, folder)
    jobs = counted(len(manifest.jobs), "job")
    say(f"{archive}: {manifest.model}, {jobs}, {_size(manifest.size)}; every byte is as it was written")
    return folder


def _run(folder: Path, overrides: list[str], *, trusted: bool) -> int:
    """Run an unpacked bundle, in a process that has begun with the environment in which only the folder is read."""
    from embedmark.runner.bundle.unpacked import CONFIGS, OVERRIDES, check_plan, environment_of, has_begun_in, read

    if not has_begun_in(folder):
        arguments = [*_with_outputs(overrides, folder), *(["--trust-remote-code"] if trusted else [])]
        command = [sys.executable, "-m", "embedmark.runner", "bundle", "--run", str(folder), *arguments]
        return _instead(command, folder, environment_of(folder))
    manifest = read(folder)
    if manifest.code and not trusted:
        raise UserError(
            f"{manifest.model} runs Python code that came with the bundle; if you trust whoever made it, add "
            "--trust-remote-code"
        )
    _say_needs(manifest.embedmark, manifest.needs)
    check_plan(manifest, overrides)
    from embedmark.runner.cli.run import run

    return run([*OVERRIDES, *overrides], [CONFIGS], sweep=False)


def _with_outputs(overrides: Sequence[str], folder: Path) -> list[str]:
    """The overrides, with outputs counted from the current folder, and by default in the bundle's own.

    What a stranger's bundle makes gets into the store of other runs only where that was asked for.
    """
    from embedmark.runner.config.grammar import name_of

    given = [override.partition("=")[2] for override in overrides if override.startswith("outputs=")]
    others = [override for override in overrides if not override.startswith("outputs=")]
    named = name_of(given[-1]) if given else None
    outputs = Path(named).expanduser().absolute() if named else folder / "outputs"
    quoted = str(outputs).replace("\\", "\\\\").replace("'", "\\'")
    return [*others, f"outputs='{quoted}'"]


def _instead(command: Sequence[str], folder: Path, environment: dict[str, str]) -> int:
    """Go on as another process: the libraries of the hub read the environment once, when they are imported."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.chdir(folder)
        os.execve(command[0], [*command], environment)
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def _say_needs(version: str, needs: Sequence[str]) -> None:
    say(f"needs: {', '.join([f'embedmark {version}', *needs])}")


def _size(size: int) -> str:
    for unit, of in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= of:
            return f"{size / of:.1f} {unit}"
    return f"{size} bytes"
