"""What can go wrong on this disk.

RegtuiError                       (oci/errors.py)
└── StorageError                  a file or folder of regtui's own can't be found, read or written
    └── SettingsUnreadable        the settings file can't be used as it is
"""

from __future__ import annotations

from regtui.oci.errors import RegtuiError


class StorageError(RegtuiError):
    """A file or folder of regtui's own can't be found, read or written."""


class SettingsUnreadable(StorageError):
    """The settings file can't be used as it is; nothing of it was changed."""
