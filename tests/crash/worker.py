"""The worker, with points at which it dies."""

from flask.cli import main

from tests.crash import faults

if __name__ == "__main__":
    faults.install()
    main()
