"""Laws of encoders and loaders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import (
    EncodeContext,
    Encoder,
    Model,
    Scorer,
    Searcher,
    SketchedEncoder,
    TokenEncoder,
    Variant,
)
from embedmark.models.loaders import Kind, Loader
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Side, SimilarityName, TaskContext
from embedmark.tasks.retrieval.ranking import Lookup
from embedmark.testing.laws import hold, hold_equal, hold_plain, hold_version

TEXTS = (
    "a word",
    "The quick brown fox jumps over the lazy dog, and the dog does not mind.",
    "x",
    "the word that is asked for, the word, and the word again " * 6,
    "a word",
    "Ein Wort, ÄÖÜ ß, 日本語, עברית 🙂",
)
"""Short and long, two that are equal, several scripts."""

_CONTEXT = TaskContext("Check", "Retrieval", languages=("eng-Latn",))
_METHODS: Mapping[Kind, str] = {"encoder": "encode", "scorer": "score", "searcher": "search"}


def check_encoder(
    encoder: Encoder,
    texts: Sequence[str] = TEXTS,
    *,
    context: EncodeContext | None = None,
    tolerance: float = 1e-4,
) -> None:
    """Check that an encoder keeps the laws on which scores rest.

    Its vectors are float32 (n, dim) and finite; a text has one vector, whatever is in its batch, in any order, whenever
    it is asked for; a context has one variant; what a text costs is a whole number; facts can be written down.

    Args:
        encoder: The encoder, opened.
        texts: What to encode, not empty.
        context: What the texts are for; by default a query of a retrieval task.
        tolerance: How far vectors may differ between batches, as a share of their largest number.

    Raises:
        AssertionError: It breaks a law; the message says which, and what was found.

    Example:
        >>> check_encoder(MyEncoder(), ["a", "some more words"])
    """
    hold(
        encoder.similarity in get_args(SimilarityName),
        f"similarity is in {get_args(SimilarityName)}",
        encoder.similarity,
    )
    hold(encoder.batch_tokens > 0, "batch_tokens is above 0", encoder.batch_tokens)
    hold_plain(encoder.facts, "facts")
    context = context or EncodeContext(_CONTEXT, "query")
    variant = encoder.variant(context)
    hold(isinstance(variant, Variant), "variant gives a Variant", variant)
    hold(variant == encoder.variant(context), "a context has one variant", encoder.variant(context))
    lengths = np.asarray(encoder.lengths(texts, variant))
    hold(lengths.shape == (len(texts),), f"lengths has one number a text, {len(texts)}", lengths.shape)
    hold(lengths.dtype.kind in "iu" and bool((lengths >= 0).all()), "lengths are whole numbers from 0", lengths)

    vectors = _vectors(encoder, texts, variant)
    alone = np.concatenate([_vectors(encoder, [text], variant) for text in texts])
    turned = _vectors(encoder, list(reversed(texts)), variant)[::-1]
    hold_equal(alone, vectors, tolerance, "a text alone has the vector that it has in a batch")
    hold_equal(turned, vectors, tolerance, "the order of texts changes no vector")
    hold_equal(_vectors(encoder, texts, variant), vectors, tolerance, "a text has the same vector when asked again")
    if isinstance(encoder, TokenEncoder):
        tokens = encoder.tokenize(texts, variant)
        hold(len(tokens) == len(texts), f"tokenize gives {len(texts)} lists", len(tokens))
        forward = encoder.forward(tokens, variant)
        hold_equal(forward, vectors, tolerance, "forward of tokenize gives what encode gives")


def check_loader(loader: Loader, spec: ModelSpec, *, tolerance: float = 1e-4) -> None:
    """Check that a loader's row is sound, and that what it loads keeps the laws of its kind.

    Args:
        loader: The row.
        spec: What to load; small, since it is opened.
        tolerance: How far vectors and scores may differ between batches, as a share of the largest.

    Raises:
        AssertionError: The row or the model breaks a law; the message says which, and what was found.
        ModelError: The loader refuses `spec`.

    Example:
        >>> check_loader(Loader("initials", "my_package.model:load", 1), ModelSpec("org/a", None, loader="initials"))
    """
    hold_version(loader.version, "Loader.version")
    hold(":" in loader.implementation, "Loader.implementation is of the form module:function", loader.implementation)
    loader.check(spec.parameters)
    if loader.parameters is not None:
        _refuses_what_is_unknown(loader, spec)
    model = loader.load(spec)
    hold_plain(model.facts, "facts")
    methods = [method for kind, method in _METHODS.items() if loader.kind in (kind, "any")]
    hold(any(hasattr(model, name) for name in methods), f"a {loader.kind} has {' or '.join(methods)}", type(model))
    _check_model(model, tolerance)
    if hasattr(model, "encode"):
        _check_treatment(loader, spec, cast("Encoder", model))


def _refuses_what_is_unknown(loader: Loader, spec: ModelSpec) -> None:
    try:
        loader.check({**spec.parameters, "no_such_parameter": 1})
    except ModelError:
        return
    raise AssertionError(f"loader {loader.name} says which parameters it has, and takes another one")


def _check_model(model: Model, tolerance: float) -> None:
    if hasattr(model, "encode"):
        check_encoder(cast("Encoder", model), tolerance=tolerance)
    elif hasattr(model, "score"):
        _check_scorer(cast("Scorer", model), tolerance)
    else:
        _check_searcher(model, tolerance)


def _check_treatment(loader: Loader, spec: ModelSpec, encoder: Encoder) -> None:
    """What is told without opening the model is what the opened model does."""
    treatment = loader.treatment(spec, encoder.sketch if isinstance(encoder, SketchedEncoder) else None)
    if treatment is None:
        return
    for side in (*get_args(Side), None):
        context = EncodeContext(_CONTEXT, side)
        told, done = treatment.variant(context), encoder.variant(context)
        hold(told == done, f"what is told without opening the model is its variant {done}", told)


def _check_scorer(scorer: Scorer, tolerance: float) -> None:
    pairs = list(product(TEXTS[:3], TEXTS))
    scores = np.asarray(scorer.score(pairs, _CONTEXT))
    hold(scores.shape == (len(pairs),), f"score gives one number a pair, {len(pairs)}", scores.shape)
    hold(scores.dtype.kind == "f" and bool(np.isfinite(scores).all()), "scores are finite numbers", scores)
    turned = np.asarray(scorer.score(pairs[::-1], _CONTEXT))[::-1]
    hold_equal(turned, scores, tolerance, "the order of pairs changes no score")


def _check_searcher(searcher: Searcher, tolerance: float) -> None:
    ids = [f"d{number}" for number in range(len(TEXTS))]
    chosen = [np.array([0, 1, 3]), np.array([1, 2]), np.array([2, 3, 5])]
    for candidates in (None, chosen):
        queries = ["a word", "the lazy dog", "word that is asked"]
        found = _found(searcher, Lookup(["q0", "q1", "q2"], queries, ids, TEXTS, candidates, len(TEXTS)))
        backwards = None if candidates is None else candidates[::-1]
        lookup = Lookup(["q2", "q1", "q0"], queries[::-1], ids, TEXTS, backwards, len(TEXTS))
        turned = _found(searcher, lookup)
        for query, documents in found.items():
            hold(documents.keys() == turned[query].keys(), "the order of queries changes no hits", turned[query])
            again = [turned[query][document] for document in documents]
            hold_equal(again, list(documents.values()), tolerance, "the order of queries changes no score")
        if candidates is not None:
            wanted = [{ids[place] for place in places} for places in candidates]
            hold([set(hits) for hits in found.values()] == wanted, f"all candidates are scored, {wanted}", found)


def _found(searcher: Searcher, lookup: Lookup) -> dict[str, dict[str, float]]:
    """Query id → document id → score. Asking for a ranking refuses scores and hits that cannot be."""
    ranking = lookup.ranking(searcher.search(lookup, _CONTEXT))
    return {query: ranking.hits(place) for place, query in enumerate(lookup.query_ids)}


def _vectors(encoder: Encoder, texts: Sequence[str], variant: Variant) -> NDArray[Any]:
    vectors = encoder.encode(texts, variant)
    hold(isinstance(vectors, np.ndarray), "encode gives an array of NumPy's", type(vectors))
    hold(vectors.dtype == np.float32, "vectors are float32", vectors.dtype)
    hold(vectors.ndim == 2 and len(vectors) == len(texts), f"vectors are ({len(texts)}, dim)", vectors.shape)
    hold(bool(np.isfinite(vectors).all()), "vectors are finite", vectors)
    return vectors
