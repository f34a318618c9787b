"""Words for the rules of passwords, the same for staff, employees and the command line."""

from rgapp.auth.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH, NOT_REUSED, PasswordProblem, PasswordRejected

PASSWORD_RULES = (
    f"Use at least {MINIMUM_LENGTH} characters; a few words in a row are easy to remember. Leave out your name, your "
    f"e-mail address and the programme’s name, and do not use one of your last {NOT_REUSED} passwords again."
)
PROBLEMS = {
    PasswordProblem.TOO_SHORT: (
        f"Use at least {MINIMUM_LENGTH} characters. A few words in a row are easy to remember."
    ),
    PasswordProblem.TOO_LONG: f"Use at most {MAXIMUM_LENGTH} characters.",
    PasswordProblem.TOO_COMMON: (
        "This is too easy to guess. Common passwords, repeated or padded ones, and rows of letters or digits are "
        "tried first."
    ),
    PasswordProblem.PERSONAL: "Leave out your name, your e-mail address and the programme’s name.",
    PasswordProblem.USED_BEFORE: f"You had this password before. Choose one that is not among your last {NOT_REUSED}.",
}


def password_problems(rejected: PasswordRejected) -> list[str]:
    """Say every rule that a password breaks, each in a sentence or two."""
    return [PROBLEMS[problem] for problem in rejected.problems]
