"""The worker, with points at which it dies, and with a kind of integration whose files are tables."""

from flask.cli import main

from rgapp.integrations.registry import KINDS
from tests.crash import faults
from tests.integrations.sync.tables import KIND, TableKind

if __name__ == "__main__":
    faults.install()
    KINDS[KIND] = TableKind()
    main()
