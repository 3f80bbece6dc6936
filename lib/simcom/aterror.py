"""``simcom.ATError``, the exception for a command that the module refuses."""

from .pump import ATError  # noqa: F401
