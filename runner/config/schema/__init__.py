"""What a config file may say.

Every field has one role: it *decides* the score and enters the fingerprint, *describes* what it belongs to, or
says how a run *executes*. Unknown keys are refused, values never change after the check.
"""

from __future__ import annotations

from embedmark.runner.config.roles import Schema
from embedmark.runner.config.schema.benchmark import BenchmarkConfig, BenchmarkTask, RankedBy
from embedmark.runner.config.schema.dataset import FilesDataset, HubDataset, LookUp, PackageDataset, Place, TaskGroup
from embedmark.runner.config.schema.model import (
    VECTOR_FIELDS,
    FolderModel,
    HubModel,
    InstructionsConfig,
    Member,
    ModelAbout,
    ModelConfig,
    ModelSource,
    PackageModel,
)
from embedmark.runner.config.schema.run import Execution, Settings
from embedmark.runner.config.schema.task import TaskAbout, TaskConfig

__all__ = [
    "VECTOR_FIELDS",
    "BenchmarkConfig",
    "BenchmarkTask",
    "Execution",
    "FilesDataset",
    "FolderModel",
    "HubDataset",
    "HubModel",
    "InstructionsConfig",
    "LookUp",
    "Member",
    "ModelAbout",
    "ModelConfig",
    "ModelSource",
    "PackageDataset",
    "PackageModel",
    "Place",
    "RankedBy",
    "Schema",
    "Settings",
    "TaskAbout",
    "TaskConfig",
    "TaskGroup",
]
