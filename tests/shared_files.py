"""Files that the project shares beside its repository: real inputs, cases, references."""

from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared"


def shared(path: str) -> Path:
    """A shared file or folder; a test that needs one which is absent fails and says so."""
    found = SHARED / path
    assert found.exists(), f"needs {found}: put the project's shared files beside the repository"
    return found
