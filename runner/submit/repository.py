"""A repository that receives submissions: its layout, its rules, and the workflow that checks what arrives."""

from __future__ import annotations

from importlib.metadata import version

CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
PYTHON = "actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0"
UPLOAD = "actions/upload-artifact@330a01c490aca151604b8cf639adc76d48f6c5d4 # v5.0.0"
DOWNLOAD = "actions/download-artifact@018cc2cf5baa6db3ef3c5f8a56943fffe632ef53 # v6.0.0"
SCRIPT = "actions/github-script@ed597411d8f924073f98dfc5c65a23a2325f34cd # v8.0.0"
"""By the hash of a commit: a tag can be moved."""


def files() -> dict[str, str]:
    """Make the files of a new repository: path → text."""
    return {
        "README.md": _README,
        "CODEOWNERS": _OWNERS,
        ".gitattributes": "*.json -text\n*.jsonl -text\nstatement.json.sig -text\n",
        "results/.gitkeep": "",
        "records/.gitkeep": "",
        "signers/allowed_signers": _SIGNERS,
        "signers/revoked": "",
        ".github/workflows/check.yml": _CHECK.replace("EMBEDMARK", version("embedmark")),
        ".github/workflows/comment.yml": _COMMENT,
    }


_README = """# Results

Scores of embedding models, and the records that they were made of.

| path | what it is |
| --- | --- |
| `results/<organisation>__<model>/<revision>/<Task>.json` | result files in the field's layout; mteb reads the tree |
| `records/<first two digits>/<fingerprint>/` | the record of each job, with its statement and signature |
| `signers/allowed_signers` | who may sign, a line a person; changed by owners alone |
| `signers/revoked` | keys that may no longer sign |

To submit, on a branch of a fork:

    python -m runner submit . --model NAME --benchmark NAME --outputs OUTPUTS

A workflow checks every pull request: layout, names, limits, rules that no right score breaks, leaks, records and
signatures. It runs nothing of the branch. A person then verifies some records by running them again
(`python -m runner verify --sample 3`) and merges.
"""

_OWNERS = """# Who may sign and what is run is decided by owners alone. Put their names here.
/signers/ @OWNERS
/.github/ @OWNERS
/CODEOWNERS @OWNERS
"""

_SIGNERS = """# One line a person: name, namespaces, dates, key. No patterns such as *@example.org.
# ada@example.org namespaces="embedmark-record",valid-after="20260101" ssh-ed25519 AAAA...
"""

_CHECK = f"""name: check
# Without secrets and rights: what is checked is a stranger's. The result goes to comment.yml as a file.
on:
  pull_request:
  workflow_call:
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: {CHECKOUT}
        with:
          ref: ${{{{ github.event.pull_request.base.sha }}}}
          path: base
          persist-credentials: false
      - uses: {CHECKOUT}
        with:
          ref: ${{{{ github.event.pull_request.head.sha }}}}
          path: head
          fetch-depth: 0
          persist-credentials: false
      - uses: {PYTHON}
        with:
          python-version: "3.12"
      # By its exact version; put the hashes of a lock file here (pip install --require-hashes -r lock.txt).
      - run: pip install embedmark==EMBEDMARK
      - name: the files of the pull request
        env:
          BASE: ${{{{ github.event.pull_request.base.sha }}}}
          HEAD: ${{{{ github.event.pull_request.head.sha }}}}
        run: |
          git -C head fetch --quiet ../base "$BASE"
          git -C head diff --name-only -z --no-renames --diff-filter=d "$BASE...$HEAD" > changed
          git -C head diff --name-only -z --no-renames --diff-filter=D "$BASE...$HEAD" > deleted
      # Signers come from the base branch, never from the pull request.
      - run: >-
          embedmark review head --changed changed --deleted deleted
          --signers base/signers/allowed_signers --out report.md
      - if: always()
        uses: {UPLOAD}
        with:
          name: report
          path: report.md
"""

_COMMENT = f"""name: comment
# With the right to comment, and without anything of the pull request but the report, which is untrusted text.
on:
  workflow_run:
    workflows: [check]
    types: [completed]
permissions:
  pull-requests: write
  actions: read
jobs:
  comment:
    if: github.event.workflow_run.event == 'pull_request'
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: {DOWNLOAD}
        with:
          name: report
          run-id: ${{{{ github.event.workflow_run.id }}}}
          github-token: ${{{{ github.token }}}}
      - uses: {SCRIPT}
        with:
          script: |
            const fs = require('fs');
            if (!fs.lstatSync('report.md').isFile()) throw new Error('no report');
            const body = fs.readFileSync('report.md', 'utf8').slice(0, 60000).replace(/@/g, '@\\u200b');
            // By the commit that was checked: the event's own list is empty for forks, and a number could be anybody's.
            const head = context.payload.workflow_run.head_sha;
            const found = await github.rest.repos.listPullRequestsAssociatedWithCommit({{
              ...context.repo, commit_sha: head,
            }});
            const open = found.data.filter(pull => pull.state === 'open' && pull.head.sha === head);
            if (open.length !== 1) throw new Error(`${{open.length}} pull requests have the commit ${{head}}`);
            await github.rest.issues.createComment({{...context.repo, issue_number: open[0].number, body}});
"""
