"""The solver runs in a process of its own: it may use memory and minutes without holding up anybody."""

import asyncio
import gzip
import tempfile
from dataclasses import dataclass
from pathlib import Path

from leerbudget.foundation.processes import following
from leerbudget.rounds.errors import SolverFailed

GRACE_SECONDS = 120
"""Time beyond the solver's own limit for reading, explaining and writing."""


@dataclass(frozen=True, slots=True)
class SolveLimits:
    """How long, with how many workers and how close to the bound (a share of the score) to solve."""

    seconds: int = 60
    workers: int = 1
    gap: float = 0.0001


async def solve_in_own_process(instance: bytes, seed: int, limits: SolveLimits) -> bytes:
    """The gzipped outcome for a gzipped instance, by the same command that people run: `leerbudget match solve`.

    Raises:
        SolverFailed: the process ended badly or did not end.
    """
    with tempfile.TemporaryDirectory(prefix="leerbudget-round-") as folder:
        question, answer = Path(folder, "instance.json.gz"), Path(folder, "outcome.json.gz")
        await asyncio.to_thread(question.write_bytes, instance)
        await _run(question, answer, seed, limits)
        return await asyncio.to_thread(_read, answer)


def _read(answer: Path) -> bytes:
    if not answer.exists():
        raise SolverFailed(reason="er kwam geen uitkomst")
    return answer.read_bytes()


async def _run(question: Path, answer: Path, seed: int, limits: SolveLimits) -> None:
    options = {"--seconds": limits.seconds, "--workers": limits.workers, "--seed": seed, "--gap": limits.gap}
    words = [str(part) for option in options.items() for part in option]
    process = await asyncio.create_subprocess_exec(
        *following("match", "solve", str(question), "--out", str(answer), *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, complaint = await asyncio.wait_for(process.communicate(), limits.seconds + GRACE_SECONDS)
    except TimeoutError:
        raise SolverFailed(reason="het duurde te lang") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise SolverFailed(reason=lines[-1] if lines else f"het rekenproces stopte met code {process.returncode}")


def packed(plain: bytes) -> bytes:
    """Gzipped with no time stamp in it, so that the same content gives the same bytes."""
    return gzip.compress(plain, mtime=0)
