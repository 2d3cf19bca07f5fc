"""Which tasks and subsets the loopback hub has data for. Read by both environments, so it imports nothing."""

from __future__ import annotations

from collections.abc import Mapping

_SIB200 = (
    "deu_Latn",
    "eng_Latn",
    "fra_Latn",
    "hin_Deva",
    "ind_Latn",
    "jpn_Jpan",
    "spa_Latn",
    "swe_Latn",
    "swh_Latn",
    "tel_Telu",
)

HUB_TASKS: Mapping[str, tuple[str, ...]] = {
    "Banking77Classification": ("default",),
    "AmazonCounterfactualClassification": ("en", "de"),
    "SIB200Classification": _SIB200,
    "NusaX-senti": ("eng", "ind", "jav"),
    "STSBenchmark": ("default",),
    "STS14": ("default",),
    "STS16": ("default",),
    "indonli": ("default",),
    "Tatoeba": ("deu-eng", "fra-eng", "jpn-eng", "isl-eng", "lat-eng", "oci-eng", "swh-eng", "tel-eng"),
    "SIB200ClusteringS2S": _SIB200,
    "XQuADRetrieval": ("en", "de", "es", "ro"),
}
"""Tasks of the reference implementation → the subsets whose data the hub has."""

LAB_TASKS: Mapping[str, tuple[str, ...]] = {
    "KMHaSSmall": ("default",),
    "TRECQAReranking": ("default",),
    "MasakhaNEWSHeadlineClustering": ("swa", "fra"),
}
"""Tasks of our own, in tests/configs/task and in reference/lab_tasks.py.

The `eng` subset of the last one consists of nulls by nine tenths, which neither side can encode.
"""
