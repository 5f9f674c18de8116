"""`python -m symnet`: the same as the command `symnet`."""

import sys

from symnet.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
