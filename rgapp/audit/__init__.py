"""The audit log: what happened, who did it, as data."""

from rgapp.audit.service import Actor, ActorKind, record_event
from rgapp.audit.tags import Tag

__all__ = ["Actor", "ActorKind", "Tag", "record_event"]
