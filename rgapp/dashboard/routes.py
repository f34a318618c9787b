"""Routes of the dashboard blueprint: importing each module registers the pages of one part.

A new kind of integration is one package with its pages, its views here, and one word in `register`.
"""

import rgapp.dashboard.alerts
import rgapp.dashboard.bamboohr.connect
import rgapp.dashboard.bamboohr.consent
import rgapp.dashboard.bamboohr.who
import rgapp.dashboard.catalogue
import rgapp.dashboard.feeds.run
import rgapp.dashboard.integration
import rgapp.dashboard.json_report.connect
import rgapp.dashboard.overview
import rgapp.dashboard.pulls.identifiers
import rgapp.dashboard.pulls.mapping
import rgapp.dashboard.pulls.preview
import rgapp.dashboard.pulls.schedule
import rgapp.dashboard.review
import rgapp.dashboard.saml.activity
import rgapp.dashboard.saml.initial
import rgapp.dashboard.saml.mapping
import rgapp.dashboard.saml.testing
import rgapp.dashboard.scim.activity
import rgapp.dashboard.scim.connect
import rgapp.dashboard.scim.identifiers
import rgapp.dashboard.scim.mapping
import rgapp.dashboard.scim.testing
import rgapp.dashboard.scim.tokens
import rgapp.dashboard.sftp.access
import rgapp.dashboard.sftp.account
import rgapp.dashboard.sftp.example
import rgapp.dashboard.sftp.preview  # noqa: F401 - these imports are for their effect.
from rgapp.dashboard.bamboohr.pages import BambooPages
from rgapp.dashboard.common import bp
from rgapp.dashboard.json_report.connect import SOURCE as JSON_REPORT
from rgapp.dashboard.pulls import sources
from rgapp.dashboard.pulls.pages import PullPages
from rgapp.dashboard.registry import register
from rgapp.dashboard.saml.pages import SAMLPages
from rgapp.dashboard.scim.pages import SCIMPages
from rgapp.dashboard.sftp.pages import SFTPPages

BAMBOOHR = BambooPages()
register(SAMLPages(), SCIMPages(), SFTPPages(), BAMBOOHR, PullPages(JSON_REPORT))
sources.register(BAMBOOHR.source, JSON_REPORT)

__all__ = ["bp"]
