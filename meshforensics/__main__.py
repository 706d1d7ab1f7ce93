"""``python -m meshforensics``."""

import sys

from meshforensics.cli import main

if __name__ == "__main__":
    sys.exit(main())
