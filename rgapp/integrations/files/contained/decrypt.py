"""Decrypt one OpenPGP message from file to file; the task comes on standard input, the verdict goes to standard output.

It runs alone, by path and isolated: of this application it knows nothing. pysequoia holds the interpreter's lock while
it decrypts and has no limit for what a compressed message grows to; here the operating system sets both.
"""

import base64
import json
import resource
import sys
from typing import Any

import pysequoia


def decrypt(task: dict[str, Any]) -> str:
    """Do one task and return the verdict: empty where all went well."""
    resource.setrlimit(resource.RLIMIT_AS, (task["memory"], task["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (task["seconds"], task["seconds"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (task["bytes"], task["bytes"]))
    try:
        key = pysequoia.Tsk.from_bytes(base64.b64decode(task["key"]))
        decryptor = key.decryptor(task["passphrase"]) if task["passphrase"] else key.decryptor()
    except Exception:
        return "locked_key"
    try:
        pysequoia.decrypt_file(decryptor=decryptor, input=task["source"], output=task["target"])
    except Exception as error:
        return verdict_of(str(error))
    return ""


def verdict_of(message: str) -> str:
    """Return which of our reasons the library's message means."""
    first = message.partition("Stack backtrace")[0].lower()
    if "file too large" in first:
        return "too_large_unpacked"
    if "no space left" in first:
        return "no_space"
    if "no key to decrypt" in first or "no session key" in first:
        return "wrong_key"
    if "malformed" in first or "eof" in first or "unexpected" in first:
        return "not_openpgp"
    return "damaged_message"


if __name__ == "__main__":
    json.dump({"reason": decrypt(json.load(sys.stdin))}, sys.stdout)
