"""The picture of a run in the README: a real run in a real terminal (tmux), its screen saved as SVG.

python -m tools.picture docs/run.svg
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH, HEIGHT = 84, 34
COMMAND = "python -m runner"
PROMPT = f"$ {COMMAND}"


def main() -> None:
    """Run the default benchmark in an empty folder, wait for its last line, and save what the terminal shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("svg", type=Path)
    parser.add_argument("--python", default=".venv/bin/python", help="the interpreter that has embedmark")
    options = parser.parse_args()
    python = Path(options.python).absolute()
    with tempfile.TemporaryDirectory() as folder:
        lines = _screen(COMMAND.replace("python", str(python)), folder)
    console = Console(record=True, width=WIDTH, file=Path("/dev/null").open("w"))  # noqa: SIM115 - held by the console
    console.print(Text(PROMPT, style="bold"))
    console.print(Text.from_ansi("\n".join(lines)))
    options.svg.write_text(console.export_svg(title="embedmark"), encoding="utf-8")


def _screen(command: str, folder: str) -> list[str]:
    """Everything that the command left on its terminal, with colours."""
    tmux = ["tmux", "-L", "embedmark-picture"]
    size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
    environment = "env -u CI -u NO_COLOR COLORTERM=truecolor TERM=tmux-256color"
    shell = f"cd {folder}; clear; {environment} {command}; echo; echo THE END; sleep 600"
    subprocess.run([*tmux, "new-session", "-d", *size, shell], check=True)
    try:
        while True:
            time.sleep(1)
            shown = subprocess.run([*tmux, "capture-pane", "-e", "-p", "-S", "-200"], capture_output=True, text=True)
            lines = shown.stdout.rstrip().splitlines()
            if any("THE END" in line for line in lines):
                return [line for line in lines if "THE END" not in line]
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


if __name__ == "__main__":
    main()
