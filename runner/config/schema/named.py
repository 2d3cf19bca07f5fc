"""What every file of configs must say to be found."""

from __future__ import annotations

from pydantic import BaseModel

from embedmark.runner.config.values import Name


class Named(BaseModel):
    """Its name; whatever else it says is checked when it is asked for."""

    name: Name
