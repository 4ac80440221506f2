"""Zip archives, such as the packages and layers of functions."""

import io
import zipfile


def zipped(files: dict[str, str]) -> bytes:
    """Returns an archive with these texts by path."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return file.getvalue()
