"""Print the JSON Schema of a record: `python -m runner.results.schema > docs/record.schema.json`."""

from __future__ import annotations

import json
import sys

from runner.results.record import json_schema

if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
