"""What Flask-Login asks of whoever is signed in, said without Flask-Login: models know no web framework."""

import uuid


class Principal:
    """Someone who can be signed in; the models add `is_active`."""

    is_authenticated = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return the key as text."""
        identifier: uuid.UUID = getattr(self, "id")  # noqa: B009 - each model maps it as its own column.
        return str(identifier)
