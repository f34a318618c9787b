"""`python -m rgapp.demo.bamboohr`: serve the simulated BambooHR on loopback until it is ended."""

import argparse
import json
from pathlib import Path

from rgapp.demo.bamboohr.service import HOST, KEY, create, server


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m rgapp.demo.bamboohr", description=__doc__)
    parser.add_argument("--port", type=int, default=9600)
    parser.add_argument("--employees", type=int, default=120, metavar="N")
    parser.add_argument("--key", default=KEY, help="the API key that is accepted")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="a script of faults, as JSON")
    given = parser.parse_args()
    app = create(given.employees, key=given.key)
    if given.faults:
        app.extensions["faulty"].set(json.loads(given.faults.read_text()))
    made = server(app, given.port)
    print(f"Simulated BambooHR with {given.employees:,} employees: http://{HOST}:{made.port}", flush=True)
    made.serve_forever()


if __name__ == "__main__":
    main()
