"""Addresses that pass from one person to another inside one feed: swaps, rings, and those of people who leave."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from rgapp.integrations.sync import stage
from rgapp.integrations.sync.check import Tangled
from rgapp.integrations.sync.stage import Stage, without


def untangle(tangled: Sequence[Tangled], given_up: Collection[str]) -> tuple[list[Tangled], list[Tangled]]:
    """Return the lines that get their address in this run, and those that do not.

    A line gets it where its holder gives it up: one of `given_up`, or somebody who is tangled herself and gets hers.
    """
    waiting_for: dict[str, list[Tangled]] = defaultdict(list)
    own = {each.line.user_id for each in tangled if each.line.user_id}
    refused: dict[int, Tangled] = {}
    lost: list[Tangled] = []
    for each in tangled:
        waiting_for[each.holder].append(each)
        if each.holder not in given_up and each.holder not in own:
            lost.append(each)
    while lost:
        each = lost.pop()
        if each.at not in refused:
            refused[each.at] = each
            lost += waiting_for[each.line.user_id] if each.line.user_id and each.line.user_id not in given_up else []
    return [each for each in tangled if each.at not in refused], list(refused.values())


def give_up(staged: Stage, holders: frozenset[str], left_out: frozenset[int]) -> set[str]:
    """Return which of these people give up their address in this run: for another one, or because they leave."""
    found: set[str] = set()
    if not holders:
        return found
    for name in (stage.ROWS, stage.LEAVING):
        for lines, _ in staged.lines(name):
            for line in without(lines, left_out):
                if line.user_id in holders and (name == stage.LEAVING or line.email):
                    found.add(str(line.user_id))
    for batch, _ in staged.batches(stage.ABSENT):
        found.update(user_id for _, user_id in batch if user_id in holders)
    return found
