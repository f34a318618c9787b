"""Forget runs with all that they found: those of an integration that is deleted, and previews that are past."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rgapp.models import Integration, SyncLeaver, SyncProblem, SyncRun


def forget_runs(session: Session, integration: Integration, *, previews: bool = False) -> None:
    """Delete every run of an integration, or its `previews` alone; whoever works on one gives up. Flushes."""
    mine = [SyncRun.programme_id == integration.programme_id, SyncRun.integration_id == integration.id]
    if previews:
        mine.append(SyncRun.preview.is_(True))
    runs = select(SyncRun.id).where(*mine)
    for model in (SyncProblem, SyncLeaver):
        session.execute(
            delete(model).where(model.programme_id == integration.programme_id, model.run_id.in_(runs)),
            execution_options={"synchronize_session": False},
        )
    session.execute(delete(SyncRun).where(*mine), execution_options={"synchronize_session": False})
    session.flush()
