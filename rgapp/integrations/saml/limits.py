"""How much of a message we are willing to look at; each number with its reason."""

from typing import Final

#: A response with a few hundred groups and two signatures stays under 100 KiB; five megabytes are an attack.
MAX_BASE64: Final = 256 * 1024
#: SAML nests about 12 levels, encryption adds five; deeper than this is made to exhaust a parser.
MAX_DEPTH: Final = 60
#: A thousand attribute values need about 2,100 elements.
MAX_ELEMENTS: Final = 5_000
#: XML attributes and namespace declarations of one element; real messages have fewer than ten.
MAX_XML_ATTRIBUTES: Final = 40
#: Entra sends at most 150 groups, ADFS has been seen with some 600.
MAX_VALUES: Final = 1_000
#: Longer than any name, address or identifier; a photograph in an attribute is not ours to read.
MAX_VALUE_LENGTH: Final = 4 * 1024
#: SAML core 8.3 limits identifiers to 256 characters; some providers send distinguished names.
MAX_NAME_ID_LENGTH: Final = 1_024
#: Identifiers of messages; the longest seen in the field are under 100 characters.
MAX_ID_LENGTH: Final = 256
#: Bearer confirmations of one assertion: one is normal, more than a handful serves no one.
MAX_CONFIRMATIONS: Final = 10
#: One provider's entry with logos stays far below this; whole federations do not belong here.
MAX_METADATA: Final = 2 * 1024 * 1024
#: ADFS lists hundreds of claim types in its metadata.
MAX_METADATA_ELEMENTS: Final = 50_000
#: A pasted or uploaded certificate; a chain of three has about 6 KiB.
MAX_CERTIFICATE: Final = 256 * 1024
#: Certificates in one paste; a provider in the middle of a rollover has two.
MAX_CERTIFICATES: Final = 20
#: A logout message in an address, once it is inflated.
MAX_LOGOUT: Final = 64 * 1024
#: The longest text from outside that is repeated in a check.
MAX_SHOWN: Final = 200
