"""`python -m gantrain` is the program `gantrain`."""

import sys

from gantrain.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
