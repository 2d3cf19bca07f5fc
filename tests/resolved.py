"""Configs resolved as a plan does, without looking anything up: what nothing pins is pinned by nothing."""

from __future__ import annotations

from typing import Any

from embedmark.runner.config.checks import task_type
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.schema import ModelConfig, TaskConfig
from embedmark.runner.data.load import Loaded
from embedmark.runner.data.load import load as load_resolved
from embedmark.runner.resolve import Pins, ResolvedModel, ResolvedTask, resolve_model, resolve_task

PINS = Pins(lambda config, _: Pin(config.revision), lambda config: Pin(getattr(config.dataset, "revision", None)))


def resolved_task(config: TaskConfig) -> ResolvedTask:
    return resolve_task(config, task_type(config, f"task {config.name}"), PINS)


def load(config: TaskConfig, *asked: Any, **more: Any) -> Loaded:
    return load_resolved(resolved_task(config), *asked, **more)


def resolved_model(config: ModelConfig) -> ResolvedModel:
    return resolve_model(config, PINS)
