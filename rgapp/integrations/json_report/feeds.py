"""The JSON report as a source of feeds: each entry of its list is a row, and who is in it is there."""

from typing import Any

from rgapp.integrations.json_report.report import Report
from rgapp.integrations.json_report.settings import JSONReportSettings
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.pulls.feeds import PullFeeds
from rgapp.integrations.pulls.store import PullStore
from rgapp.integrations.pulls.values import text
from rgapp.integrations.sync.feed import FeedContext, FeedRow, Pulled, RowFault, RowProblem
from rgapp.provisioning import Source


class JSONReportFeeds(PullFeeds):
    """Opens the pulls of JSON reports."""

    source = Source.JSON_REPORT
    settings = JSONReportSettings
    whom = ("url", "list")
    of_access = frozenset({"wrong_key", "no_permission", "no_such_report", "no_list", "bad_path"})

    def read(
        self, context: FeedContext, settings: Any, secrets: Secrets | None, store: PullStore
    ) -> tuple[bool, Pulled]:
        """Read the report; nothing where it is the one that was applied last, and nobody wants all of it.

        Raises `ReportError`.
        """
        before = None if context.wants_full else context.earlier
        alive = lambda: context.alive(None)  # noqa: E731 - it is shorter than a function.
        report = Report(settings.url, settings.list, secrets, allow=context.outbound_allow, alive=alive)
        entries, marks = report.read_new(before.marks if before else {})
        if entries is None:
            return False, before or Pulled(0, 0, {})
        filled = dict.fromkeys(settings.mapping.names, 0)
        for number, entry in enumerate(entries, 1):
            values = {name: text(entry.get(name)) for name in filled} if isinstance(entry, dict) else {}
            for name, value in values.items():
                filled[name] += value is not None
            cells = [
                next((values[name] for name in source.names if values.get(name) is not None), None)
                for source in settings.mapping.sources.values()
            ]
            problem = None if isinstance(entry, dict) else RowProblem(RowFault.UNREADABLE_RECORD)
            store.add(FeedRow(number, tuple(cells), None, None, problem))
        return True, Pulled(len(entries), len(entries), filled, marks)
