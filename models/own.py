"""A class of the user's own: `loader: "module:Class"`, with the module in the model's folder or installed.

The class is called with the ModelSpec and makes an Encoder, a Scorer or a Searcher (models/base.py). Being code, it
runs only where the model's file says `trust_remote_code: true`. A folder is identified by its content, so that a
change of the code gives its jobs new fingerprints; an installed module by the model's `revision`, to be raised when the
code changes. `spec.dtype` may be "checkpoint": load the weights as they are stored.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from embedmark.models.base import Model
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError

_NEEDED = {
    "encode": ("similarity", "batch_tokens", "facts", "variant", "lengths"),
    "search": ("facts",),
    "score": ("facts",),
}
"""What a class must have beside the method that makes it an Encoder, a Searcher or a Scorer."""


def load(spec: ModelSpec) -> Model:
    """The model that the class makes. Raises ModelError."""
    module_name, _, class_name = spec.loader.partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise ModelError(f"loader {spec.loader}: {module_name!r} is no name of a module, such as `encoder` or `a.b`")
    if not spec.trust_remote_code:
        raise ModelError(
            f"loader {spec.loader} runs Python code of its own; the model's file must say `trust_remote_code: true`"
        )
    module = _module(module_name, spec.folder)
    found = getattr(module, class_name, None)
    if not callable(found):
        names = [name for name, value in vars(module).items() if isinstance(value, type)]
        raise ModelError(f"loader {spec.loader}: {module.__file__} has no class {class_name!r}; it has {names}")
    model: Model = found(spec)
    _check_methods(model, spec.loader)
    return model


def _check_methods(model: Model, loader: str) -> None:
    """Refuse what cannot be measured now, and not at the first text."""
    method = next((name for name in _NEEDED if callable(getattr(model, name, None))), None)
    if method is None:
        raise ModelError(f"loader {loader}: the class has neither of encode, score and search; see docs/models.md")
    missing = [name for name in _NEEDED[method] if not hasattr(model, name)]
    if missing:
        raise ModelError(f"loader {loader}: the class has {method}, but not {', '.join(missing)}; see docs/models.md")


class _Source(SourceFileLoader):
    """Runs the file itself, never what Python keeps compiled of it: that is not part of the folder's content."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the signature of its base
        """The code of the module."""
        return self.source_to_code(self.get_data(self.path), self.path)


def _module(name: str, folder: Path | None) -> ModuleType:
    path = folder / f"{name.replace('.', '/')}.py" if folder else None
    if path is not None and path.is_file():
        # Under a name of its own, so that modules of two models do not meet.
        own_name = f"embedmark_model_{abs(hash(path.resolve()))}_{name.replace('.', '_')}"
        spec = importlib.util.spec_from_file_location(own_name, path, loader=_Source(own_name, str(path)))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[own_name] = module
        spec.loader.exec_module(module)
        return module
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        where = f"{path} does not exist, and no" if path else "no"
        raise ModelError(f"loader: {where} module {name!r} is installed") from error
