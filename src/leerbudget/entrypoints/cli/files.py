"""Files that commands read and write: a file is written whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

file_argument = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
out_argument = click.Path(dir_okay=False, path_type=Path)


@contextmanager
def whole_file(out: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when the block ends well: a broken run never leaves half a file under it.

    Raises:
        click.UsageError: it cannot be written; what stood under the name still does.
    """
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(out)
    except ConnectionError:  # what is being written comes over a connection; the file is not to blame
        raise
    except OSError as failure:
        raise click.UsageError(f"{out}: cannot be written: {failure.strerror}") from failure
    finally:
        part.unlink(missing_ok=True)
