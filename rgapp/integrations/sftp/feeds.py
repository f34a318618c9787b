"""SFTP as a source of feeds: how a run's file is opened, what the run may do, and what of its reading counts."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from rgapp.integrations.files.errors import UnreadableFile
from rgapp.integrations.files.opening import open_table
from rgapp.integrations.sftp.openpgp import private_key
from rgapp.integrations.sftp.reader import FileFeed
from rgapp.integrations.sftp.settings import Hold, SFTPSettings
from rgapp.integrations.sftp.words import failure
from rgapp.integrations.sync.feed import Feed, FeedContext, FeedFailure
from rgapp.models import Integration
from rgapp.provisioning import Policy, Source
from rgapp.provisioning.policy import feed_policy

DIGEST_LENGTH: Final = 16


class SFTPFeeds:
    """Opens the files of SFTP integrations."""

    pulls = False

    def open(self, context: FeedContext) -> Feed:
        """Open the file of one run: take off what is around it, find out how it is written, and look at its header.

        Raises `FeedFailure`.
        """
        if context.path is None:
            raise FeedFailure("no_file", "There is no file: upload one, or name one on the command line.")
        settings = SFTPSettings.model_validate(context.settings)
        key = private_key(context.integration, context.sealer)
        try:
            return FileFeed(open_table(context.path, context.name, context.folder, key=key), settings)
        except UnreadableFile as error:
            raise failure(error) from error

    def policy(self, integration: Integration, settings: Mapping[str, Any]) -> Policy:
        """Return what a run may do."""
        chosen = SFTPSettings.model_validate(settings)
        return feed_policy(
            Source.SFTP,
            integration_id=integration.id,
            name=integration.live_name or integration.name,
            owns=chosen.provision_master,
            welcome_email=chosen.welcome_email,
        )

    def holds_all(self, settings: Mapping[str, Any]) -> bool:
        """Tell whether a held run holds everything, or its deactivations only."""
        return SFTPSettings.model_validate(settings).hold is Hold.EVERYTHING

    def fingerprint(self, settings: Mapping[str, Any]) -> bytes:
        """Return 16 bytes that identify the mapping: where it changes, no row counts as unchanged."""
        mapping = SFTPSettings.model_validate(settings).mapping.model_dump(mode="json", exclude_none=True)
        return hashlib.sha256(json.dumps(mapping, sort_keys=True).encode()).digest()[:DIGEST_LENGTH]
