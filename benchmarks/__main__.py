"""Run every benchmark, one after the other: `make bench`, or `make bench SIZE=small` for a look."""

import argparse
import subprocess
import sys
import time

from benchmarks import document, report

FULL = {
    "validation": ["--responses", "2000"],
    "profile": ["--operations", "2000"],
    "sign_in": ["--operations", "2000"],
    "scale": ["--operations", "1000"],
    "users": [],
    "scim": [],
    "feeds": ["--rows", "1000000"],
    "pulls": ["--people", "100000"],
}
SMALL = {
    "validation": ["--responses", "200"],
    "profile": ["--operations", "200"],
    "sign_in": ["--operations", "200"],
    "scale": ["--operations", "100", "--sizes", "1 k,100 k"],
    "users": ["--sizes", "1 k,100 k"],
    "scim": ["--operations", "200", "--large", "20000", "--cycle", "500"],
    "feeds": ["--rows", "50000"],
    "pulls": ["--people", "20000"],
}


def main() -> int:
    """Run all of them, and bring what a full run measured into the document; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=["full", "small"], default="full")
    size = parser.parse_args().size
    print("\n".join(f"{name}: {value}" for name, value in report.machine().items()), flush=True)
    failed = []
    for name, options in (FULL if size == "full" else SMALL).items():
        print(f"\n== benchmarks.{name} {' '.join(options)}", flush=True)
        started = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode:
            failed.append(name)
        print(f"({time.monotonic() - started:.0f} s)", flush=True)
    if failed:
        print(f"\nFailed: {', '.join(failed)}")
        return 1
    if size == "full":
        print(f"\nWritten into {document.write()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
