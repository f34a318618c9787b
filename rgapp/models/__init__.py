"""Every table of the application; importing this package makes the metadata complete."""

from rgapp.models.audit import AuditEvent
from rgapp.models.base import Base
from rgapp.models.guard import Alert, Deactivation
from rgapp.models.identity import ExternalIdentity
from rgapp.models.integration import ConnectionDirectory, Integration, IntegrationVersion
from rgapp.models.outbox import MailStatus, OutboxMail
from rgapp.models.password import StaffPassword, UserPassword
from rgapp.models.programme import Colour, Programme, Region
from rgapp.models.pulls import PullAccess
from rgapp.models.rate_limit import RateLimit
from rgapp.models.scim import SCIMGroup, SCIMGroupMember, SCIMRequest, SCIMToken, SCIMUser
from rgapp.models.second_factor import StaffChallenge, StaffRecoveryCode, StaffSecondFactor
from rgapp.models.sftp import FileState, SFTPAccount, SFTPFile, SFTPKey
from rgapp.models.sign_in import Purpose, SAMLReplay, SAMLRequest, SignInAttempt
from rgapp.models.staff import Role, Staff, StaffGrant, StaffLink, StaffSession
from rgapp.models.sync import FeedRecord, RunPhase, RunState, SyncLeaver, SyncProblem, SyncRun
from rgapp.models.user import User, UserLink, UserSession, UserStatus

__all__ = [
    "Alert",
    "AuditEvent",
    "Base",
    "Colour",
    "ConnectionDirectory",
    "Deactivation",
    "ExternalIdentity",
    "FeedRecord",
    "FileState",
    "Integration",
    "IntegrationVersion",
    "MailStatus",
    "OutboxMail",
    "Programme",
    "PullAccess",
    "Purpose",
    "RateLimit",
    "Region",
    "Role",
    "RunPhase",
    "RunState",
    "SAMLReplay",
    "SAMLRequest",
    "SCIMGroup",
    "SCIMGroupMember",
    "SCIMRequest",
    "SCIMToken",
    "SCIMUser",
    "SFTPAccount",
    "SFTPFile",
    "SFTPKey",
    "SignInAttempt",
    "Staff",
    "StaffChallenge",
    "StaffGrant",
    "StaffLink",
    "StaffPassword",
    "StaffRecoveryCode",
    "StaffSecondFactor",
    "StaffSession",
    "SyncLeaver",
    "SyncProblem",
    "SyncRun",
    "User",
    "UserLink",
    "UserPassword",
    "UserSession",
    "UserStatus",
]
