"""Plain text with which somebody else sets the upload up: address, fingerprints, rules of names; no secret."""

from collections.abc import Sequence

from rgapp.dashboard.sftp.connection import Server


def handover(
    server: Server, username: str, settings: Sequence[tuple[str, str]], limits: Sequence[tuple[str, str]]
) -> str:
    """Return what the IT team needs; the password travels by a safer way, and a public key comes to us."""
    lines = ["Upload of the file of people by SFTP", ""]
    lines += [f"Host: {server.host}", f"Port: {server.port}", f"User name: {username}", "Folder: /"]
    lines += ["Password: handed over separately; or send us an SSH public key (ed25519, ECDSA, or RSA from 2048 bits)"]
    lines += [f"Fingerprint of the host key ({kind}): {fingerprint}" for kind, fingerprint in server.fingerprints]
    lines += [
        "",
        "1. Export everybody as a table with the names of the columns in the first row: .csv, .txt, .tsv or .xlsx, "
        "alone or in a .zip, .gz, .gpg, .pgp or .asc.",
        "2. Upload it under a name that ends in .part, and rename it when it is complete. Names that begin with a dot "
        "or end in .tmp, .part, .partial, .filepart or .upload wait for that. Or upload it under its name at once: "
        "it counts when it is closed.",
        "3. Upload the next one under the same name or another: files are handled in the order in which they come.",
        "",
        "What is read, and how:",
        *(f"- {label}: {value}" for label, value in settings),
        "",
        *(f"{label}: {value}" for label, value in limits),
    ]
    return "\n".join(lines)
