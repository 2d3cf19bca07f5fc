"""BM25 (Robertson and Zaragoza 2009) through bm25s, with stop words and stemmers by the language of the data.

A subset of one language is read as that language, any other as English. Languages written without spaces are cut into
characters. Where bm25s has no stop words, those in nine documents of ten count as such. The choices follow mteb
2.26.24's baseline. Its parameters are those of `BM25Parameters`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import bm25s
import numpy as np
import Stemmer

from embedmark.models.lexical.hits import best
from embedmark.models.parameters import BM25Parameters, check
from embedmark.models.spec import ModelSpec, refuse_settings
from embedmark.tasks.base import TaskContext
from embedmark.tasks.retrieval.ranking import Hits, Lookup

STOP_WORDS = {
    "eng": "en",
    "deu": "de",
    "nld": "nl",
    "fra": "fr",
    "spa": "es",
    "por": "pt",
    "ita": "it",
    "rus": "ru",
    "swe": "sv",
    "nob": "no",
    "nno": "no",
    "nor": "no",
    "zho": "zh",
    "cmn": "zh",
}
"""ISO 639-3 language → bm25s's name of its stop words."""

STEMMERS = {
    **{"eng": "english", "deu": "german", "nld": "dutch", "fra": "french", "spa": "spanish", "por": "portuguese"},
    **{"ita": "italian", "rus": "russian", "swe": "swedish", "nob": "norwegian", "nno": "norwegian"},
    **{"nor": "norwegian", "ara": "arabic", "arb": "arabic", "hye": "armenian", "eus": "basque", "cat": "catalan"},
    **{"dan": "danish", "epo": "esperanto", "est": "estonian", "fin": "finnish", "ell": "greek", "hin": "hindi"},
    **{"hun": "hungarian", "ind": "indonesian", "gle": "irish", "lit": "lithuanian", "nep": "nepali"},
    **{"ron": "romanian", "srp": "serbian", "tam": "tamil", "tur": "turkish", "yid": "yiddish"},
}
"""ISO 639-3 language → Snowball's name of its stemmer."""

WITHOUT_SPACES = {"zho", "cmn", "jpn", "kor", "tha", "khm", "mya", "bod", "lao"}


def load(spec: ModelSpec) -> BM25:
    """The searcher; it has no weights. Raises ModelError for an invalid parameter."""
    refuse_settings(spec, "prompts", "instructions", "max_tokens", "similarity")
    return BM25(check(BM25Parameters, spec.parameters))


class BM25:
    """A Searcher."""

    def __init__(self, parameters: BM25Parameters) -> None:
        self._parameters = parameters.model_dump(exclude={"frequent"})
        self._frequent = parameters.frequent
        self.facts: Mapping[str, Any] = {"bm25s": bm25s.__version__, "batch_independent": True}

    def search(self, lookup: Lookup, context: TaskContext) -> Sequence[Hits]:
        """The documents of each query by the sum of its terms' weights. A term that is asked twice counts twice."""
        language = language_of(context.languages)
        words = _words(language)
        corpus = words(lookup.document_texts, ())
        stop_words: Collection[str] = ()
        if language not in STOP_WORDS and self._frequent > 0:
            stop_words = _in_most(corpus, self._frequent)
            corpus = [[word for word in document if word not in stop_words] for document in corpus]
        nothing = np.zeros(len(corpus), dtype=np.float32)
        if not any(corpus):
            return [best(nothing, lookup, query) for query in range(len(lookup.queries))]
        index = bm25s.BM25(**self._parameters)
        index.index(corpus, show_progress=False)
        queries = words(lookup.query_texts, stop_words)
        asked = ([word for word in query if word in index.vocab_dict] for query in queries)
        scores = (index.get_scores(query) if query else nothing for query in asked)
        return [best(row, lookup, query) for query, row in enumerate(scores)]


def language_of(languages: Sequence[str]) -> str:
    """The ISO 639-3 language of a subset's texts, English where it has several or none."""
    codes = {language.partition("-")[0] for language in languages}
    return codes.pop() if len(codes) == 1 else "eng"


def _words(language: str) -> Callable[[Sequence[str], Collection[str]], list[list[str]]]:
    """How texts of a language become words, without those of its stop words and of more stop words."""
    stemmer = Stemmer.Stemmer(STEMMERS[language]) if language in STEMMERS else None
    named = bm25s.tokenization._infer_stopwords(STOP_WORDS[language]) if language in STOP_WORDS else ()

    def words(texts: Sequence[str], more: Collection[str]) -> list[list[str]]:
        found: list[list[str]] = bm25s.tokenize(
            list(texts), stopwords=[*named, *more], stemmer=stemmer, return_ids=False, show_progress=False
        )
        return found

    def characters(texts: Sequence[str], more: Collection[str]) -> list[list[str]]:
        dropped = {*named, *more}
        folded = (unicodedata.normalize("NFKC", text).lower().replace(" ", "") for text in texts)
        return [[character for character in text if character not in dropped] for text in folded]

    return characters if language in WITHOUT_SPACES else words


def _in_most(corpus: Sequence[Sequence[str]], share: float) -> set[str]:
    counts = Counter(word for document in corpus for word in set(document))
    return {word for word, count in counts.items() if count / len(corpus) >= share}
