"""Make an OpenPGP key pair; for whom, says the task on standard input, and both halves go to standard output.

It runs alone, by path and isolated: a key of this size takes seconds, and pysequoia holds the interpreter's lock.
"""

import json
import sys

import pysequoia


def make(owner: str) -> dict[str, str]:
    """Return the private and the public key, armored: RSA in the form of RFC 4880, which old programs know too."""
    pair = pysequoia.Tsk.generate(owner, profile=pysequoia.Profile.RFC4880, cipher_suite=pysequoia.CipherSuite.RSA3k)
    return {"private": str(pair), "public": str(pair.extract_certificate())}


if __name__ == "__main__":
    json.dump(make(json.load(sys.stdin)["owner"]), sys.stdout)
