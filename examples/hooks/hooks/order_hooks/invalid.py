"""What order_schema.py raises: as much of fastjsonschema.exceptions as it needs at run time."""

from typing import Any


class JsonSchemaValueException(ValueError):
    """One thing that is not as in the schema.

    Attributes:
        message: Such as "data.qty must be bigger than or equal to 1".
        name: Of what it is about, such as "data.qty".
    """

    def __init__(self, message: str, *, name: str = "", **_: Any) -> None:
        super().__init__(message)
        self.message = message
        self.name = name


class JsonSchemaValuesException(ValueError):
    """All of them."""

    def __init__(self, errors: list[JsonSchemaValueException]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors
