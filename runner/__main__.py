"""`python -m runner`."""

import sys

from embedmark.runner.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
