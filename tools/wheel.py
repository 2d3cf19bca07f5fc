"""What goes into the wheel: one package, embedmark, with all rooms in it, and a small `runner` that starts it."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOMS = ("configs", "models", "runner", "tasks")
STARTER = ("runner/__init__.py", "runner/__main__.py")


class OnePackage(BuildHookInterface):  # type: ignore[type-arg]
    """Put the folders of the checkout into the package, where the checkout has links, which no archive keeps alike."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the rooms; an editable installation has the checkout's own."""
        if version == "standard":
            build_data["force_include"] |= {
                **{room: f"embedmark/{room}" for room in ROOMS},
                **{file: file for file in STARTER},
            }
