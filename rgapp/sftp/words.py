"""What the server says when it refuses something: an SFTP error with a sentence for the person at the client."""

import errno
import logging
from collections.abc import Callable

import asyncssh

from rgapp.integrations.sftp.names import BadName, NameProblem
from rgapp.sftp.upload import Reason, Refused

logger = logging.getLogger(__name__)

NO_FOLDERS = "There are no folders here: put files into /."
NO_LINKS = "Links are not possible here."
_REFUSALS: dict[Reason, tuple[Callable[[str], asyncssh.SFTPError], str]] = {
    Reason.NOT_FOUND: (asyncssh.SFTPNoSuchFile, "There is no such file."),
    Reason.EXISTS: (asyncssh.SFTPFileAlreadyExists, "There is a file with this name."),
    Reason.TOO_LARGE: (asyncssh.SFTPQuotaExceeded, "The file is larger than this account may send."),
    Reason.TOO_MANY: (asyncssh.SFTPQuotaExceeded, "This account has as many files as it may have: delete some first."),
    Reason.NO_ROOM: (
        asyncssh.SFTPQuotaExceeded,
        "Quota exceeded: the files of this account take all the room they may. Delete some, or send it again later.",
    ),
    Reason.TAKEN_OVER: (asyncssh.SFTPFailure, "Another connection has taken this upload over."),
    Reason.INCOMPLETE: (asyncssh.SFTPFailure, "The upload failed, so the file does not count: send it again."),
    Reason.RECEIVED: (asyncssh.SFTPPermissionDenied, "This file was received already and cannot be changed."),
}
_NAMES = {
    NameProblem.NOT_UTF8: "Names have to be UTF-8.",
    NameProblem.TOO_LONG: "The name is too long: use at most 200 bytes.",
    NameProblem.CHARACTERS: "The name has characters that are not possible here.",
}


def as_sftp_error(error: Exception) -> asyncssh.SFTPError:
    """Return what the client is told; of what nobody foresaw it learns nothing, and the log everything."""
    if isinstance(error, asyncssh.SFTPError):
        return error
    if isinstance(error, Refused):
        kind, sentence = _REFUSALS[error.reason]
        return kind(sentence)
    if isinstance(error, BadName):
        if error.problem is NameProblem.FOLDER:
            return asyncssh.SFTPNoSuchFile(NO_FOLDERS)
        return asyncssh.SFTPInvalidFilename(_NAMES[error.problem])
    if isinstance(error, FileNotFoundError):  # Somebody else was faster.
        return asyncssh.SFTPNoSuchFile("There is no such file.")
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        logger.error("the spool's disk is full")
        return asyncssh.SFTPNoSpaceOnFilesystem("The server's disk is full: send the file again later.")
    logger.error("an SFTP request failed", exc_info=error)
    return asyncssh.SFTPFailure("The server could not do this: try again later.")
