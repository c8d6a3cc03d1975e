"""`python -m routing.program`: the same as the `ringway` command."""

import sys

from routing.program.command_line import main

if __name__ == "__main__":
    sys.exit(main())
