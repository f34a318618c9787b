"""Reach other services at addresses that customers typed: public targets only, bounded in size and time."""

from rgapp.outbound.client import Answer, Client
from rgapp.outbound.fetching import fetch
from rgapp.outbound.targets import OutboundError, Target, check_target, origin_of

__all__ = ["Answer", "Client", "OutboundError", "Target", "check_target", "fetch", "origin_of"]
