"""The words of every check: its title, the reason it gives, what would be right, and what to do about it."""

from dataclasses import dataclass
from typing import Final

from rgapp.integrations.saml.verdict import CheckCode as Code


@dataclass(frozen=True, slots=True)
class Words:
    """One check: `because` completes "Refused because …", `fix` is a sentence that says who does what."""

    title: str
    because: str
    fix: str
    expected: str = ""


_RESEND = "Ask your IT team to look at what the identity provider sends; if it looks right, send us the reference code."
_ATTACK = "Do nothing at first: nobody was let in. If it happens to people who sign in normally, tell our support team."
_CLOCK = "Ask your IT team to check the clock of the identity provider: it must follow internet time."
_AGAIN = "The employee signs in again, from the beginning and without waiting on the way."
_ALGORITHM = "In the identity provider, your IT team sets the signing algorithm to RSA-SHA256, the usual setting."
_COPY = "In the identity provider, your IT team replaces the address by the one shown in this set-up, to the letter."

WORDS: Final[dict[Code, Words]] = {
    Code.PARAMETER_MISSING: Words(
        "Form field",
        "the response was not in the expected form field",
        "Change the parameter name in this set-up to the field that the identity provider uses.",
    ),
    Code.TOO_LARGE: Words(
        "Size",
        "the response was too large",
        "In the identity provider, your IT team sends fewer attributes: groups and photographs are not needed.",
    ),
    Code.NOT_BASE64: Words(
        "Encoding", "the response was not encoded in base64", _RESEND, "base64, as SAML 2.0 sends it by HTTP-POST"
    ),
    Code.DOCTYPE: Words(
        "Document type",
        "the response had a document type declaration, which SAML does not allow",
        _ATTACK,
        "no DOCTYPE",
    ),
    Code.ENCODING: Words("Character encoding", "the response was not in UTF-8", _RESEND),
    Code.TOO_DEEP: Words("Nesting", "the response was nested too deeply", _ATTACK),
    Code.TOO_MANY_ELEMENTS: Words(
        "Number of elements",
        "the response had too many elements",
        "In the identity provider, your IT team sends fewer attributes, and leaves out groups.",
    ),
    Code.NOT_XML: Words("XML", "the response was not well-formed XML", _RESEND, "an XML document"),
    Code.NOT_A_RESPONSE: Words(
        "Kind of message",
        "it was not a SAML 2.0 response",
        "In the identity provider, your IT team sets the application up as SAML 2.0, not SAML 1.1 or WS-Federation.",
    ),
    Code.FORMAT: Words("Format", "the response could not be read", _RESEND),
    Code.DUPLICATE_ID: Words("Identifiers", "two elements of the response had the same ID", _ATTACK),
    Code.SIGNATURE_PLACE: Words("Structure", "a signature or an assertion stood where it does not belong", _ATTACK),
    Code.COMMENT_IN_VALUE: Words("Plain values", "there was a comment or an instruction inside a value", _ATTACK),
    Code.VERSION: Words(
        "Version",
        "it was not SAML 2.0",
        "In the identity provider, your IT team sets the application up as SAML 2.0.",
    ),
    Code.STATUS: Words(
        "Status",
        "the identity provider reported that the sign-in did not succeed",
        "Your IT team looks in the identity provider's sign-in log, and whether this person is assigned to the app.",
    ),
    Code.ASSERTION_COUNT: Words(
        "Number of assertions",
        "the response did not hold exactly one assertion",
        "In the identity provider, your IT team makes sure that each response has one assertion.",
    ),
    Code.SETUP_INCOMPLETE: Words(
        "Set-up", "this set-up is not complete", "Complete the first step of this set-up and publish it."
    ),
    Code.ENCRYPTED_WITHOUT_KEY: Words(
        "Encryption",
        "the response was encrypted and this connection has no key to open it",
        "Your IT team turns assertion encryption off, or our support team gives this connection a key.",
    ),
    Code.ENCRYPTION_ALGORITHM: Words(
        "Encryption algorithm",
        "the response was encrypted by a method that is not safe or not known",
        "In the identity provider, your IT team chooses AES-256 with RSA-OAEP for assertion encryption.",
    ),
    Code.DECRYPTION_FAILED: Words(
        "Decryption",
        "the encrypted part could not be opened with our key",
        "In the identity provider, your IT team uploads our encryption certificate again, from our metadata.",
    ),
    Code.ENCRYPTED_ATTRIBUTE: Words(
        "Encrypted attributes",
        "single attributes were encrypted",
        "In the identity provider, your IT team encrypts the whole assertion or nothing.",
    ),
    Code.ENCRYPTION: Words("Encryption", "the encrypted part could not be opened", _RESEND),
    Code.ENCRYPTION_OLD: Words(
        "Age of the cipher",
        "the response was encrypted with an old cipher",
        "Sign-in still works. In the identity provider, your IT team chooses AES-256-GCM, or AES-256-CBC, instead.",
    ),
    Code.ISSUER_RESPONSE: Words(
        "Issuer of the response",
        "the response came from another identity provider than this set-up names",
        "Compare the entityID in this set-up with the Issuer: if the provider has moved, load its metadata again.",
    ),
    Code.ISSUER_ASSERTION: Words(
        "Issuer of the assertion",
        "the assertion came from another identity provider than this set-up names",
        "Compare the entityID in this set-up with the Issuer: if the provider has moved, load its metadata again.",
    ),
    Code.SIGNATURE_ALGORITHM: Words(
        "Signature algorithm", "the signature uses an algorithm that is not safe", _ALGORITHM
    ),
    Code.DIGEST_ALGORITHM: Words("Digest algorithm", "the signature uses a digest that is not safe", _ALGORITHM),
    Code.SIGNATURE_TRANSFORM: Words(
        "Signature transforms", "the signature does not cover the message in the usual way", _RESEND
    ),
    Code.SIGNATURE_REFERENCE: Words(
        "Signed part", "the signature covers something else than the element it stands in", _ATTACK
    ),
    Code.CERTIFICATE_UNKNOWN: Words(
        "Signing certificate",
        "it was signed with a certificate that this set-up does not have",
        "If your identity provider has changed its certificate, add the new one to this set-up and publish it.",
    ),
    Code.SIGNATURE_INVALID: Words(
        "Signature",
        "its contents do not fit the signature",
        "Your IT team checks that nothing on the way, such as a proxy, changes the response.",
    ),
    Code.SIGNATURE_MISSING: Words(
        "Signature",
        "the part that this set-up expects to be signed is not signed",
        "Set the signature check in this set-up to what the provider signs, or your IT team has the provider sign it.",
    ),
    Code.SIGNATURE: Words("Signature", "the signature could not be checked", _RESEND),
    Code.CERTIFICATE_EXPIRED: Words(
        "Age of the certificate",
        "the signing certificate has expired",
        "Sign-in still works. Ask your IT team when the certificate will be replaced, and add the new one in time.",
    ),
    Code.DESTINATION: Words("Destination", "the response was addressed to another place", _COPY),
    Code.CONDITIONS_MISSING: Words(
        "Conditions",
        "the assertion does not say for whom it is meant",
        "In the identity provider, your IT team enters our entityID as the audience.",
    ),
    Code.CONDITIONS_UNKNOWN: Words(
        "Known conditions",
        "the assertion sets a condition that we do not know",
        "In the identity provider, your IT team removes the special condition from the assertion.",
    ),
    Code.AUDIENCE: Words(
        "Audience",
        "it was meant for another service",
        "In the identity provider, your IT team enters our entityID as the audience, exactly as shown in this set-up.",
    ),
    Code.CONFIRMATION_METHOD: Words(
        "Confirmation", "the assertion has no bearer confirmation", _RESEND, "a bearer confirmation"
    ),
    Code.RECIPIENT: Words("Recipient", "the assertion was made out to another address", _COPY),
    Code.IN_RESPONSE_TO_FOREIGN: Words(
        "Answer to our request", "it answers another request than the one we sent", _AGAIN
    ),
    Code.IN_RESPONSE_TO_MISSING: Words(
        "Answer to our request",
        "it does not say which request it answers",
        "In the identity provider, your IT team makes sure that a sign-in started here is answered, not started anew.",
    ),
    Code.IN_RESPONSE_TO_UNEXPECTED: Words(
        "Answer to our request", "it answers a request that is not open any more, or was never ours", _AGAIN
    ),
    Code.IN_RESPONSE_TO: Words("Answer to our request", "it does not answer our request", _AGAIN),
    Code.IDP_INITIATED_OFF: Words(
        "Where the sign-in started",
        "it was started at the identity provider, which this set-up does not allow",
        "Allow sign-in that starts at the identity provider in this set-up, or people start from the sign-in page.",
    ),
    Code.ISSUED_IN_FUTURE: Words("Time of issue", "it was issued in the future", _CLOCK),
    Code.NOT_BEFORE: Words("Valid from", "it is not valid yet", _CLOCK),
    Code.NOT_ON_OR_AFTER: Words("Valid until", "it has expired", f"{_AGAIN} If that does not help: {_CLOCK}"),
    Code.CONFIRMATION_END_MISSING: Words(
        "End of the confirmation", "the confirmation has no end", _RESEND, "a NotOnOrAfter"
    ),
    Code.CONFIRMATION_EXPIRED: Words(
        "End of the confirmation", "it came too late", f"{_AGAIN} If that does not help: {_CLOCK}"
    ),
    Code.CONFIRMATION_NOT_BEFORE: Words("Start of the confirmation", "it came too early", _CLOCK),
    Code.AUTHN_STATEMENT_MISSING: Words(
        "Authentication",
        "the assertion does not say that the person has authenticated",
        _RESEND,
    ),
    Code.SESSION_EXPIRED: Words("Session", "the session at the identity provider has ended", _AGAIN),
    Code.NAME_ID_MISSING: Words(
        "NameID",
        "there is no NameID, and the mapping reads one",
        "In the identity provider, your IT team sends a NameID; or map the field to an attribute in this set-up.",
    ),
    Code.TOO_MANY_VALUES: Words(
        "Number of values",
        "it carries too many attribute values",
        "In the identity provider, your IT team sends fewer attributes, and leaves out groups.",
    ),
    Code.VALUE_TOO_LONG: Words(
        "Length of values",
        "one of its values is too long",
        "In the identity provider, your IT team leaves out long attributes such as photographs.",
    ),
    Code.SCHEMA: Words("SAML schema", "the message is not built as SAML 2.0 defines it", _RESEND),
    Code.UNREADABLE: Words(
        "Reading", "the response could not be read to the end", "Send our support team the reference code."
    ),
}
