"""Who is in the demo: six employees at the demo identity provider, and the staff of Reward Manager."""

from dataclasses import dataclass

from rgapp.models.staff import Role

PROGRAMME_SLUG = "acme"
PROGRAMME_NAME = "Acme Rewards"
CONNECTION_NAME = "Acme Demo IdP"
CONTACT_NAME = "Acme People Team"
CONTACT_EMAIL = "people@acme.example"
IDP_ENTITY_ID = "https://idp.acme.example/saml"
DATE_FORMAT = "%d/%m/%Y"
# Our field -> the name under which the demo identity provider sends it.
ATTRIBUTES = {
    "membership_no": "employeeNumber",
    "email": "mail",
    "first_name": "givenName",
    "last_name": "sn",
    "date_of_birth": "birthDate",
}


@dataclass(frozen=True)
class Employee:
    """Someone the demo identity provider knows, in its words; an empty value is not sent."""

    employee_number: str
    given_name: str
    surname: str
    mail: str
    birth_date: str
    shows: str

    @property
    def name(self) -> str:
        """Return the name as people read it."""
        return f"{self.given_name} {self.surname}"

    @property
    def initials(self) -> str:
        """Return two letters for the picture beside the name."""
        return self.given_name[:1] + self.surname[:1]

    @property
    def login(self) -> str:
        """Return the account name at the identity provider, which also is the NameID."""
        return f"{self.employee_number.lower()}@acme.example"

    def attributes(self) -> dict[str, list[str]]:
        """Return the attributes as they go into an assertion; what is empty is left out."""
        values = {
            "employeeNumber": self.employee_number,
            "mail": self.mail,
            "givenName": self.given_name,
            "sn": self.surname,
            "birthDate": self.birth_date,
        }
        return {name: [value] for name, value in values.items() if value}


EMPLOYEES = (
    Employee("E1001", "Jane", "Carter", "jane.carter@acme.example", "03/04/1990", "Everything is sent."),
    Employee("E1002", "Zoë", "Núñez-O’Neill", "zoe.nunez@acme.example", "29/02/1992", "A name with accents."),
    Employee("00317", "Grace", "Okafor", "grace.okafor@acme.example", "17/11/1984", "A number with zeros first."),
    Employee("E1004", "Marcus", "Bell", "marcus.bell@acme.example", "", "No date of birth is sent."),
    Employee("E1005", "Tomasz", "Nowak", "tomasz.nowak@acme.example", "31/02/1985", "A date that does not exist."),
    Employee("E1006", "Priya", "Sharma", "", "22/08/1995", "No e-mail address is sent: refused."),
)


@dataclass(frozen=True)
class DemoStaff:
    """Someone who signs in to Reward Manager in the demo."""

    label: str
    name: str
    email: str
    role: Role


STAFF = (
    DemoStaff("HR admin", "Hannah Reid", "hannah.reid@acme.example", Role.ADMIN),
    DemoStaff("Support", "Sam Porter", "sam.porter@rewards.example", Role.SUPPORT),
    DemoStaff("Operator", "Olive Park", "olive.park@rewards.example", Role.OPERATOR),
)


def find_employee(employee_number: str) -> Employee | None:
    """Return the employee with this number, if there is one."""
    return next((person for person in EMPLOYEES if person.employee_number == employee_number), None)
