"""What the fields of the simulated account are called: for single records, in the dataset, in the list."""

from typing import Final

# Name in records, label, type; as `meta/fields` says it. The name of a field of the account's own is its number.
FIELDS: Final = (
    ("employeeNumber", "Employee #", "text"),
    ("status", "Status", "status"),
    ("firstName", "First Name", "text"),
    ("lastName", "Last Name", "text"),
    ("preferredName", "Preferred Name", "text"),
    ("workEmail", "Work Email", "email"),
    ("homeEmail", "Home Email", "email"),
    ("dateOfBirth", "Birth Date", "date"),
    ("hireDate", "Hire Date", "date"),
    ("terminationDate", "Termination Date", "date"),
    ("employmentHistoryStatus", "Employment Status", "list"),
    ("department", "Department", "list"),
    ("location", "Location", "list"),
    ("country", "Country", "country"),
    ("jobTitle", "Job Title", "list"),
    ("4047", "Reads the newsletter", "checkbox"),
)
# Under these names `get-employee` answers too, as the description has them.
ALSO: Final = {"birthDate": "dateOfBirth", "employmentStatus": "employmentHistoryStatus"}
RECORD: Final = {name: name for name, _, _ in FIELDS} | ALSO
# Name in the dataset to name in records.
DATASET: Final = {
    "eeid": "id",
    "employeeNumber": "employeeNumber",
    "status": "status",
    "firstName": "firstName",
    "lastName": "lastName",
    "preferredName": "preferredName",
    "email": "workEmail",
    "homeEmail": "homeEmail",
    "birthDate": "dateOfBirth",
    "hireDate": "hireDate",
    "terminationDate": "terminationDate",
    "employmentStatus": "employmentHistoryStatus",
    "department": "department",
    "location": "location",
    "country": "country",
    "jobInformationJobTitle": "jobTitle",
    "customField4047": "4047",
}
# Fields that `list-employees` always has, and those that can be asked for; it knows no employee number.
LIST: Final = {
    "employeeId": "id",
    "firstName": "firstName",
    "lastName": "lastName",
    "preferredName": "preferredName",
    "photoUrl": "",
    "jobTitleName": "jobTitle",
    "status": "status",
}
LIST_OPTIONAL: Final = {
    "workEmail": "workEmail",
    "homeEmail": "homeEmail",
    "birthDate": "dateOfBirth",
    "hireDate": "hireDate",
    "departmentName": "department",
    "locationName": "location",
    "employmentStatusName": "employmentHistoryStatus",
}
DIRECTORY: Final = {
    "displayName": "",
    "firstName": "firstName",
    "lastName": "lastName",
    "jobTitle": "jobTitle",
    "workEmail": "workEmail",
    "department": "department",
    "location": "location",
}
LABELS: Final = {name: label for name, label, _ in FIELDS} | {"id": "Employee ID", "": ""}
