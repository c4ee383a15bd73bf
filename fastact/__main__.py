"""``python -m fastact``: the same as the command ``fastact``."""

import sys

from fastact.cli import main

if __name__ == "__main__":
    sys.exit(main())
