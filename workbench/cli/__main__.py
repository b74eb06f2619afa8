"""`python -m workbench.cli` is `kan-workbench`: for a process that must run the interpreter it was started with."""

import sys

from workbench.cli import main

if __name__ == "__main__":
    sys.exit(main())
