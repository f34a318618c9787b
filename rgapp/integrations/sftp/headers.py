"""Names that HR systems give their columns, in several languages, and which of our fields each of them means."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from rgapp.provisioning.record import Field

STATUS: Final = "status"

# The best name first: where several columns fit, the one further in front wins. Each is written as `plain()` leaves it.
NAMES: Final[dict[str, tuple[str, ...]]] = {
    Field.MEMBERSHIP_NO.value: (
        "membershipno", "membershipnumber", "memberno", "membernumber", "memberid",
        "employeeid", "employeenumber", "employeeno", "employeenr", "employeecode", "employeereference", "employeeref",
        "empid", "empno", "empnumber", "empcode", "staffid", "staffno", "staffnumber", "staffcode",
        "personnelnumber", "personnelno", "personnelid", "payrollnumber", "payrollno", "payrollid", "payrollref",
        "payrollreference", "payroll", "workerid", "workernumber", "associateid", "associatenumber", "colleagueid",
        "colleaguenumber", "personnumber", "personid", "clocknumber", "filenumber", "externalid", "hrid", "userid",
        "personalnummer", "personalnr", "persnr", "persnummer", "pnr", "mitarbeiternummer", "mitarbeiternr",
        "mitarbeiterid", "manr", "stammnummer", "stammnr",
        "matricule", "numeromatricule", "nummatricule", "matriculesalarie", "numerodesalarie", "numerosalarie",
        "nosalarie", "idsalarie", "codesalarie", "identifiantsalarie", "numerodemploye", "numeroemploye", "noemploye",
        "idemploye", "identifiant",
        "numerodeempleado", "numeroempleado", "numempleado", "noempleado", "nodeempleado", "nroempleado",
        "codigodeempleado", "codigoempleado", "idempleado", "iddeempleado", "legajo", "numerodelegajo", "matricula",
        "matricola", "personeelsnummer", "medewerkernummer", "id", "number", "nummer", "numero",
    ),
    Field.EMAIL.value: (
        "workemail", "workemailaddress", "businessemail", "businessemailaddress", "companyemail", "corporateemail",
        "officeemail", "emailwork", "emailbusiness", "primaryworkemail", "emailprimarywork", "primaryemail",
        "email", "emailaddress", "emailid", "mail", "mailaddress", "useremail", "emailprimary",
        "emaildienstlich", "dienstlicheemail", "dienstlicheemailadresse", "geschaftlicheemail",
        "geschaeftlicheemail", "emailgeschaftlich", "emailadresse", "mailadresse",
        "emailprofessionnel", "adresseemailprofessionnelle", "mailprofessionnel", "courrielprofessionnel",
        "adresseemail", "adressemail", "courriel", "adressecourriel", "adresseelectronique", "mel",
        "correocorporativo", "correodeempresa", "correoempresa", "emailcorporativo", "correoelectronico",
        "direcciondecorreoelectronico", "direcciondecorreo", "correo",
        "indirizzoemail", "postaelettronica", "emailadres", "mailadres",
        "privateemail", "personalemail", "homeemail", "emailprivat", "privateemailadresse", "emailpersonnel",
        "correopersonal",
    ),
    Field.FIRST_NAME.value: (
        "preferredfirstname", "firstname", "givenname", "forename", "legalfirstname", "first", "fname", "firstnames",
        "givennames", "forenames", "knownas", "preferredname",
        "rufname", "vorname", "vornamen", "prenomusuel", "prenom", "prenoms", "nombre", "nombres", "primernombre",
        "nombredepila", "nome", "voornaam", "roepnaam",
    ),
    Field.LAST_NAME.value: (
        "preferredlastname", "lastname", "surname", "familyname", "legallastname", "last", "lname",
        "nachname", "familienname", "zuname", "nomusuel", "nomdusage", "nomdefamille", "nompatronymique", "nom",
        "apellidos", "apellido", "primerapellido", "cognome", "achternaam", "name",
    ),
    Field.DATE_OF_BIRTH.value: (
        "dateofbirth", "birthdate", "birthday", "dob", "birthdt", "bdate", "dtofbirth", "birth",
        "geburtsdatum", "gebdatum", "gebdat", "geburtstag", "datedenaissance", "datenaissance", "ddn", "naissance",
        "fechadenacimiento", "fechanacimiento", "fecnacimiento", "fnacimiento", "nacimiento",
        "datadinascita", "geboortedatum",
    ),
    STATUS: (
        "employmentstatus", "employeestatus", "workerstatus", "staffstatus", "personstatus", "jobstatus", "empstatus",
        "status", "assignmentstatus", "active", "isactive", "activestatus",
        "beschaftigungsstatus", "mitarbeiterstatus", "beschaeftigungsstatus", "aktiv", "statutsalarie", "statut",
        "statutdusalarie", "actif", "estadodelempleado", "estadoempleado", "estadolaboral", "estado", "estatus",
        "situacion", "activo", "stato",
    ),
}  # fmt: skip
#: Words in front that say no more than that the file is about employees.
_ABOUT: Final = (
    "employee", "worker", "staff", "associate", "colleague", "member", "person", "user", "emp", "contact",
    "mitarbeiter", "arbeitnehmer", "salarie", "employe", "empleado", "trabajador",
)  # fmt: skip
#: Values with which a status column says that somebody has left, as `plain()` leaves them.
LEFT: Final = frozenset(
    {
        "left", "leaver", "terminated", "termination", "inactive", "resigned", "retired", "dismissed", "deceased",
        "redundant", "exemployee", "former", "formeremployee", "separated", "disabled", "deleted", "offboarded",
        "ausgeschieden", "ausgetreten", "gekundigt", "inaktiv", "ehemalig", "verstorben", "rentner",
        "sorti", "parti", "inactif", "demissionne", "licencie", "retraite",
        "baja", "inactivo", "despedido", "jubilado", "cesado",
    }
)  # fmt: skip
#: Values that mean it in a column that is called "Active".
NO: Final = frozenset({"no", "n", "false", "0", "nein", "non", "falsch", "faux", "falso"})
_BRACKETS: Final = re.compile(r"[(\[{<].*?[)\]}>]")


def plain(name: str) -> str:
    """Reduce a name to letters and digits without accents: "Employee #" becomes "employeenumber"."""
    text = _BRACKETS.sub("", name).replace("#", "number").replace("°", "o").casefold()
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if letter.isalnum())


def guess(header: Sequence[str]) -> dict[str, int]:
    """Return which column each field probably comes from, by its index; a column stands for one field only.

    Fields whose column cannot be told by its name are left out.
    """
    keys = [plain(name) for name in header]
    found: dict[str, int] = {}
    for shorten in (_as_it_is, _without_about):
        for field, names in NAMES.items():
            index = _first_of(names, [shorten(key) for key in keys], set(found.values()))
            if field not in found and index is not None:
                found[field] = index
    return found


def _first_of(names: Sequence[str], keys: Sequence[str], taken: set[int]) -> int | None:
    """Return the column with the best of these names; one that is there twice is none."""
    for name in names:
        places = [index for index, key in enumerate(keys) if key == name]
        if len(places) == 1 and places[0] not in taken:
            return places[0]
    return None


def _as_it_is(key: str) -> str:
    return key


def _without_about(key: str) -> str:
    for word in _ABOUT:
        if key.startswith(word) and len(key) > len(word):
            return key.removeprefix(word)
    return key
