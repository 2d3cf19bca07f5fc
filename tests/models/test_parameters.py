"""The parameters that plans know of each loader are those that the loader takes."""

from __future__ import annotations

import importlib

import pytest

from models.api import protocol
from models.loaders import loaders


@pytest.mark.parametrize("name", [name for name, loader in loaders().items() if loader.parameters is not None])
def test_a_loaders_row_names_the_parameters_of_its_module(name: str) -> None:
    loader = loaders()[name]
    module = importlib.import_module(loader.implementation.partition(":")[0])
    if hasattr(module, "PROTOCOL"):
        taken = protocol.PARAMETERS | module.PROTOCOL.more
    else:
        taken = set(getattr(module, "PARAMETERS", ()))
    assert loader.parameters == taken
    assert loader.executes <= loader.parameters
