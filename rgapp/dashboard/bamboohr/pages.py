"""BambooHR integrations as the dashboard's frame asks for them."""

from collections.abc import Sequence

from rgapp.dashboard.bamboohr.account import SOURCE
from rgapp.dashboard.kinds import Step
from rgapp.dashboard.pulls.pages import PullPages
from rgapp.models import Integration


class BambooPages(PullPages):
    """The pages of BambooHR integrations."""

    def __init__(self) -> None:
        super().__init__(SOURCE)

    def own_steps(self, integration: Integration, *, ready: bool) -> Sequence[Step]:
        """Return Who."""
        return (Step("who", "Who", "dashboard.bamboohr_who", ready),)
