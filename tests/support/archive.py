"""Zip archives, as packages and layers of functions are."""

import io
import zipfile


def zipped(files: dict[str, str]) -> bytes:
    """An archive of these texts, by their paths in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return file.getvalue()
