"""The loopback hub answers the unmodified clients, in this process and in others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from loopback import HubRoot, ServeHub

pytestmark = pytest.mark.hub

LOAD = """
import datasets
print(len(datasets.load_dataset("mteb/stsbenchmark-sts", split="test")))
"""


def test_a_subprocess_reads_a_dataset_into_its_own_cache(hub_env: Mapping[str, str], hf_home: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], env=hub_env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1379"
    assert (hf_home / "hub").is_dir()


def test_this_process_reads_a_dataset_into_a_fresh_cache(hub_env: Mapping[str, str], hf_home: Path) -> None:
    from huggingface_hub import hf_hub_download

    found = Path(hf_hub_download("mteb/indonli", "README.md", repo_type="dataset"))
    assert found.is_relative_to(hf_home)


def test_a_root_of_its_own_serves_what_was_linked_into_it(
    hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path, tmp_path: Path
) -> None:
    from huggingface_hub import HfApi

    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "config.json").write_text("{}")
    endpoint = serve_hub(hub_root(models={f"lab/tiny/{'a' * 40}": weights}))
    api = HfApi(endpoint=endpoint)
    assert api.list_repo_files("lab/tiny") == ["config.json"]
    assert "test_expert.jsonl.gz" in api.list_repo_files("mteb/indonli", repo_type="dataset")
