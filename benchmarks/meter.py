"""Processor time of a whole process tree, from /proc: what to compare on machines that others use too."""

import os
from dataclasses import dataclass
from pathlib import Path

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
NANOSECONDS = 1_000_000
# Positions in /proc/<pid>/stat (proc(5)), counted behind the command's closing bracket.
PARENT, OWN, DEAD_CHILDREN = 1, slice(11, 13), slice(13, 15)


@dataclass(frozen=True)
class CPUMeter:
    """Reads how much processor time a process and all its descendants used, dead children included."""

    root: int

    def read(self) -> float:
        """Return the milliseconds used until now."""
        table = _table()
        family, waiting = set(), [self.root]
        while waiting:
            pid = waiting.pop()
            family.add(pid)
            waiting += [child for child, fields in table.items() if int(fields[PARENT]) == pid and child not in family]
        return sum(_used(pid, table[pid]) for pid in family if pid in table)


def _used(pid: int, fields: list[str]) -> float:
    """Return what a process used: by the scheduler's nanoseconds, for ticks lose most of what many small ones do.

    The scheduler tells of living threads only, the ticks of dead ones too, so the greater of both is nearest.
    """
    nanoseconds = 0
    for entry in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            nanoseconds += int(entry.read_text().split()[0])
        except (OSError, IndexError):
            continue
    ticks = sum(map(int, fields[OWN])) * TICK_MS
    return max(nanoseconds / NANOSECONDS, ticks) + sum(map(int, fields[DEAD_CHILDREN])) * TICK_MS


def _table() -> dict[int, list[str]]:
    """Return the fields of every process that there is."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue  # It ended meanwhile; its parent has its time.
            found[int(entry.name)] = text.rpartition(")")[2].split()
    return found
