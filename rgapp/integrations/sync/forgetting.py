"""Forget the runs of an integration that is deleted: a draft has previews, with what they found."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rgapp.models import Integration, SyncLeaver, SyncProblem, SyncRun


def forget_runs(session: Session, integration: Integration) -> None:
    """Delete every run of an integration, and what was found in each. Flushes."""
    mine = (SyncRun.programme_id == integration.programme_id, SyncRun.integration_id == integration.id)
    runs = select(SyncRun.id).where(*mine)
    for model in (SyncProblem, SyncLeaver):
        session.execute(
            delete(model).where(model.programme_id == integration.programme_id, model.run_id.in_(runs)),
            execution_options={"synchronize_session": False},
        )
    session.execute(delete(SyncRun).where(*mine), execution_options={"synchronize_session": False})
    session.flush()
