"""Presets of the providers that companies run themselves, and of any other."""

from typing import Final

from rgapp.integrations.saml.connection import Signed
from rgapp.integrations.saml.preset import OurValue, ProviderPreset, Step, claims, paste

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

ADFS: Final = ProviderPreset(
    key="adfs",
    name="AD FS",
    summary="Sign-in with Active Directory Federation Services on Windows Server.",
    minutes=20,
    needs="an administrator of the AD FS server",
    steps=(
        Step(
            "In AD FS Management, right-click Relying Party Trusts, then Add Relying Party Trust. Choose Claims aware."
        ),
        paste(
            "Choose “Import data about the relying party published online or on a local network”, and paste our "
            "metadata link. This fills in the entityID, the ACS URL and our certificate.",
            OurValue.METADATA_URL,
            "Federation metadata address (host name or URL)",
        ),
        Step("Name it, permit the people who may sign in, and finish the wizard."),
        Step(
            "Edit the Claim Issuance Policy and add a rule from the template “Send LDAP Attributes as Claims” with "
            "the attribute store Active Directory: E-Mail-Addresses as E-Mail Address, Given-Name as Given Name, "
            "Surname as Surname, employeeNumber as employeeNumber; the date of birth as dateOfBirth if you keep it."
        ),
        Step(
            "Add a second rule from the template “Transform an Incoming Claim”: E-Mail Address becomes Name ID, "
            "with the format Email."
        ),
        Step(
            "Paste the address of your federation metadata into this set-up: https://, the name of your AD FS "
            "server, then /FederationMetadata/2007-06/FederationMetadata.xml."
        ),
    ),
    claims=claims(
        "employeeNumber", f"{_CLAIMS}emailaddress", f"{_CLAIMS}givenname", f"{_CLAIMS}surname", "dateOfBirth"
    ),
    metadata_hint="https://your-server/FederationMetadata/2007-06/FederationMetadata.xml",
)

KEYCLOAK: Final = ProviderPreset(
    key="keycloak",
    name="Keycloak",
    summary="Sign-in with a Keycloak realm.",
    minutes=12,
    needs="an administrator of the Keycloak realm",
    steps=(
        paste(
            "In the Keycloak admin console, open Clients, then Create client. Choose the type SAML and enter our "
            "entityID.",
            OurValue.ENTITY_ID,
            "Client ID",
        ),
        paste("On the page Login settings, enter our ACS URL.", OurValue.ACS_URL, "Valid redirect URIs"),
        paste("Save, and enter our ACS URL under Settings, too.", OurValue.ACS_URL, "Master SAML Processing URL"),
        Step("Leave Sign documents on, with the algorithm RSA_SHA256."),
        Step(
            "On the tab Keys, either turn Client signature required off, or import the signing certificate from our "
            "metadata."
        ),
        Step(
            "On the tab Client scopes, open the dedicated scope and add mappers of the type User Attribute: "
            "employeeNumber, email, firstName, lastName and dateOfBirth, each under this SAML attribute name."
        ),
        Step(
            "Open Realm settings, copy the link SAML 2.0 Identity Provider Metadata under Endpoints, and paste it "
            "into this set-up."
        ),
    ),
    claims=claims("employeeNumber", "email", "firstName", "lastName", "dateOfBirth"),
    metadata_hint="SAML 2.0 Identity Provider Metadata, under Endpoints in Realm settings.",
    # Out of the box Keycloak signs the whole response, not the assertion.
    signed=Signed.RESPONSE,
)

CUSTOM: Final = ProviderPreset(
    key="custom",
    name="Custom SAML",
    summary="Sign-in with any other SAML 2.0 identity provider, such as Shibboleth.",
    minutes=20,
    needs="somebody who administers the identity provider",
    steps=(
        paste(
            "If your provider reads metadata, give it our metadata link, and skip the next two steps.",
            OurValue.METADATA_URL,
            "metadata URL of the service provider",
        ),
        paste("Otherwise enter our entityID.", OurValue.ENTITY_ID, "entityID, Audience or Identifier"),
        paste(
            "Enter our ACS URL, with the binding HTTP-POST.",
            OurValue.ACS_URL,
            "ACS URL, Reply URL or Consumer URL; also Recipient and Destination",
        ),
        Step("Have the assertion signed with RSA-SHA256 and a digest of SHA-256."),
        Step("Release attributes for the membership number, e-mail address, first name, last name and date of birth."),
        Step("Load the provider's metadata into this set-up, or enter its entityID, sign-in address and certificate."),
        Step("Allow the people who may sign in."),
    ),
    claims=claims("employeeNumber", "mail", "givenName", "sn", "dateOfBirth"),
    metadata_hint="Most providers publish their metadata at an address that ends in /metadata or /metadata.xml.",
)
