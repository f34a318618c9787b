"""Presets of the providers in the cloud, in the words of their own consoles."""

from typing import Final

from rgapp.integrations.saml.preset import OurValue, ProviderPreset, Step, claims, paste

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_SHORT = claims("employeeNumber", "email", "firstName", "lastName", "dateOfBirth")

ENTRA: Final = ProviderPreset(
    key="entra",
    name="Microsoft Entra ID",
    summary="Sign-in with Microsoft work accounts (formerly Azure AD).",
    minutes=15,
    needs="the role Cloud Application Administrator in Entra",
    steps=(
        Step(
            "In the Entra admin center, open Enterprise applications, then New application, then Create your own "
            "application. Name it and choose “Integrate any other application you don't find in the gallery”."
        ),
        Step("Open Single sign-on in the new application and choose SAML."),
        paste(
            "Edit Basic SAML Configuration and add the identifier.",
            OurValue.ENTITY_ID,
            "Identifier (Entity ID)",
        ),
        paste(
            "In the same panel, add the reply URL, and save.",
            OurValue.ACS_URL,
            "Reply URL (Assertion Consumer Service URL)",
        ),
        Step(
            "Edit Attributes & Claims. Email address, given name and surname are there already. Add a claim named "
            "employeeid with the source attribute user.employeeid; for the date of birth add the attribute or "
            "extension in which you keep it, named dateofbirth."
        ),
        Step("Under SAML Certificates, copy the App Federation Metadata Url, and paste it into this set-up."),
        Step("Under Users and groups, assign the people who may sign in."),
    ),
    claims=claims(
        "employeeid",
        f"{_CLAIMS}emailaddress",
        f"{_CLAIMS}givenname",
        f"{_CLAIMS}surname",
        "dateofbirth",
    ),
    metadata_hint="App Federation Metadata Url, under SAML Certificates; or download Federation Metadata XML there.",
)

OKTA: Final = ProviderPreset(
    key="okta",
    name="Okta",
    summary="Sign-in with Okta, also from the Okta dashboard.",
    minutes=12,
    needs="the role Application Administrator in Okta",
    steps=(
        Step(
            "In the Okta Admin Console, open Applications, then Applications, then Create App Integration. "
            "Choose SAML 2.0."
        ),
        paste(
            "Name the app, go on to Configure SAML and enter our ACS URL. Leave “Use this for Recipient URL and "
            "Destination URL” ticked.",
            OurValue.ACS_URL,
            "Single sign-on URL",
        ),
        paste("Enter our entityID.", OurValue.ENTITY_ID, "Audience URI (SP Entity ID)"),
        Step(
            "Under Attribute Statements, add employeeNumber with user.employeeNumber, email with user.email, "
            "firstName with user.firstName, lastName with user.lastName, and dateOfBirth with the profile attribute "
            "in which you keep it."
        ),
        Step("Finish. On the tab Sign On, copy the Metadata URL, and paste it into this set-up."),
        Step("On the tab Assignments, assign the people or groups who may sign in."),
    ),
    claims=_SHORT,
    metadata_hint="Metadata URL, on the app's tab Sign On.",
)

GOOGLE: Final = ProviderPreset(
    key="google",
    name="Google Workspace",
    summary="Sign-in with Google Workspace accounts.",
    minutes=15,
    needs="a super administrator of Google Workspace",
    steps=(
        Step(
            "In the Google Admin console, open Apps, then Web and mobile apps, then Add app, then Add custom SAML "
            "app. Name it and continue."
        ),
        Step("On the page Google Identity Provider details, download the metadata, and upload it in this set-up."),
        paste("Continue to Service provider details and enter our ACS URL.", OurValue.ACS_URL, "ACS URL"),
        paste("On the same page, enter our entityID. Leave Signed response unticked.", OurValue.ENTITY_ID, "Entity ID"),
        Step(
            "On the page Attribute mapping, choose Add mapping: Employee ID as employeeNumber, Primary email as "
            "email, First name as firstName, Last name as lastName. Google has no date of birth of its own: map a "
            "custom attribute as dateOfBirth if you keep one."
        ),
        Step("Finish. Open User access, and turn the app on for the people who may sign in."),
    ),
    claims=_SHORT,
    metadata_hint="Download metadata, on the page Google Identity Provider details.",
)

ONELOGIN: Final = ProviderPreset(
    key="onelogin",
    name="OneLogin",
    summary="Sign-in with OneLogin, also from its portal.",
    minutes=12,
    needs="an account owner or administrator in OneLogin",
    steps=(
        Step(
            "In the OneLogin administration, open Applications, then Add App, and choose SAML Custom Connector "
            "(Advanced). Name it and save."
        ),
        paste("Open Configuration and enter our entityID.", OurValue.ENTITY_ID, "Audience (EntityID)"),
        paste("Enter our ACS URL as the recipient.", OurValue.ACS_URL, "Recipient"),
        paste(
            "Enter our ACS URL as the validator, with ^ before it, $ after it, and a backslash before each dot.",
            OurValue.ACS_URL,
            "ACS (Consumer) URL Validator",
        ),
        paste("Enter our ACS URL once more.", OurValue.ACS_URL, "ACS (Consumer) URL"),
        Step("Set SAML signature element to Assertion. On SSO, set SAML Signature Algorithm to SHA-256."),
        Step(
            "Open Parameters and add employeeNumber, email, firstName, lastName and dateOfBirth, each with “Include "
            "in SAML assertion” ticked and the fitting value."
        ),
        Step("Under More Actions, download SAML Metadata, and upload it in this set-up."),
        Step("Under Users or Roles, give the app to the people who may sign in."),
    ),
    claims=_SHORT,
    metadata_hint="SAML Metadata, under More Actions.",
)

PINGONE: Final = ProviderPreset(
    key="pingone",
    name="PingOne",
    summary="Sign-in with PingOne.",
    minutes=12,
    needs="an administrator of the PingOne environment",
    steps=(
        Step(
            "In the PingOne console, open Applications, then Applications, and the + sign. Name the application, "
            "choose SAML Application, and Configure."
        ),
        paste("Choose Manually Enter and enter our ACS URL.", OurValue.ACS_URL, "ACS URLs"),
        paste("Enter our entityID, and save.", OurValue.ENTITY_ID, "Entity ID"),
        Step(
            "On the tab Attribute Mappings, add employeeNumber, email with Email Address, firstName with Given Name, "
            "lastName with Family Name, and dateOfBirth with the attribute in which you keep it."
        ),
        Step("On the tab Configuration, copy the IDP Metadata URL, and paste it into this set-up."),
        Step("Turn the application on with the switch at the top, and give it to the groups who may sign in."),
    ),
    claims=_SHORT,
    metadata_hint="IDP Metadata URL or Download Metadata, on the tab Configuration.",
)

JUMPCLOUD: Final = ProviderPreset(
    key="jumpcloud",
    name="JumpCloud",
    summary="Sign-in with JumpCloud, also from its user portal.",
    minutes=12,
    needs="an administrator with billing or manager rights in JumpCloud",
    steps=(
        Step(
            "In the JumpCloud Admin Portal, open SSO Applications, then Add New Application, then Custom "
            "Application. Choose Manage Single Sign-On (SSO) with SAML, and name it."
        ),
        Step("On the tab SSO, enter any unique name as IdP Entity ID, for example your company's web address."),
        paste("Enter our entityID.", OurValue.ENTITY_ID, "SP Entity ID"),
        paste("Enter our ACS URL.", OurValue.ACS_URL, "ACS URLs"),
        Step("Set Signature Algorithm to RSA-SHA256 and Sign to Assertion. Tick Declare Redirect Endpoint."),
        paste("So that people can start here too, enter our sign-in address.", OurValue.LOGIN_URL, "Login URL"),
        Step(
            "Under Attributes, add employeeNumber with employeeIdentifier, email with email, firstName with "
            "firstname, lastName with lastname, and dateOfBirth with the custom attribute in which you keep it."
        ),
        Step("On the tab User Groups, choose who may sign in, and save."),
        Step("On the tab SSO, choose Export Metadata, and upload the file in this set-up."),
    ),
    claims=_SHORT,
    metadata_hint="Export Metadata or Copy Metadata URL, on the tab SSO.",
)
