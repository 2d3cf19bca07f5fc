"""What the reference's hybrids make of hits: JSON from standard input, a list of cases, to standard output.

A case: {hits: [document → score, a member each], weights: [...]}. What comes of it: our name of the method → document →
score.
"""

from __future__ import annotations

import json
import sys

from mteb.models.hybrid_wrappers import fuse_dbsf, fuse_relative_score_fusion, fuse_rrf

METHODS = {"rrf": fuse_rrf, "weighted": fuse_relative_score_fusion, "dbsf": fuse_dbsf}

if __name__ == "__main__":
    json.dump(
        [
            {name: fuse(case["hits"], case["weights"]) for name, fuse in METHODS.items()}
            for case in json.load(sys.stdin)
        ],
        sys.stdout,
    )
