"""The command `cromwell-userdb`, also `python -m cromwell_userdb`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line; tell the version without loading any of it."""
    if sys.argv[1:] == ["--version"]:
        from cromwell_userdb import __version__

        print(f"cromwell-userdb {__version__}")
        return
    # Modules are most of what a command makes, and no garbage: the collector would only walk them.
    gc.set_threshold(100_000, 20, 100)
    try:
        begun = _reader() if sys.argv[1:2] == ["run"] else None
        from cromwell_userdb.cli import main as command

        command(prog_name="cromwell-userdb", obj=begun)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        # It would do so once more at the end, for longer than anything else takes there.
        gc.freeze()


def _reader() -> object:
    """What reads workflows takes as long to load as all the rest: both begin at once."""
    from cromwell_userdb import forks

    return forks.beside("cromwell_userdb.wdl")


if __name__ == "__main__":
    main()
