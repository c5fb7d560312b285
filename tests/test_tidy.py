"""House rules that a linter does not know, checked on the text and the syntax tree of every file.

Each rule is a small function that yields complaints; `test_each_rule_notices_its_mess` hands every one of them
something untidy, so that no rule can silently stop working.
"""

import ast
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "leerbudget"
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
DUMPING_GROUNDS = {"utils", "helpers", "common", "misc", "services", "managers", "models"}
OVERLOADED = {"Session", "Account", "Provider", "Transaction", "Match", "User"}
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
}
FORMATTING = {"format", "format_map"}
SQL = re.compile(
    r"\b(?:SELECT|INSERT INTO|UPDATE\s+(?:[a-z_]+\s+)?SET|DELETE FROM|(?:CREATE|ALTER|DROP) [A-Z]+|TRUNCATE|WHERE|ORDER BY|FROM [a-z_]+)\b"
)
SQL_CLOCK = re.compile(r"\b(?:now\(\)|(?:clock|statement|transaction)_timestamp\(\)|CURRENT_(?:DATE|TIME|TIMESTAMP)\b)")
SQL_WRITE = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\s+(?:ONLY\s+)?([a-z_]+)")
SQL_READ = re.compile(r"\b(?:FROM|JOIN)\s+(?:LATERAL\s+)?([a-z_]+)")
CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*")
DEFICIT = re.compile(r"\b\w*boeking\w*|\btekort\w*|\bonvoldoende\w*|\bverplicht\w*", re.IGNORECASE)
BARE_STAP = re.compile(r"\bSTAP\b(?!-)")
SOMEBODYS_FOLDER = re.compile(r"(?<![\w.:/-])(?:/(?:home|Users|work)/\w|/root/[\w.]|[A-Z]:\\Users\\)")


# (file, part of the complaint): why it stands all the same. An excuse that is not needed any more is itself untidy.
EXCUSED = {
    ("ledger/tables.py", "'Account' means"): "the ledger is the one room where an account is at home",
    (
        "foundation/ids.py",
        "foundation.clock",
    ): "an id is ordered by when it was really made, whatever the travelling clock says",
    (
        "foundation/roles.py",
        "name is put into SQL",
    ): "names of settings, written out in TIME_LIMITS; SET takes no parameters",
    (
        "foundation/roles.py",
        "holes is put into SQL",
    ): "only $2, $3, … are put in; PostgreSQL's own format() quotes the rest",
    ("ledger/queries.py", "use together()"): "the export streams for long, over a connection outside the pool",
    ("catalogue/publishing.py", "condition is put into SQL"): "a private function; its callers write the condition out",
    ("tests/foundation/test_settings.py", "folder of one machine"): "a made-up home folder in a made-up environment",
}


@dataclass(frozen=True)
class Source:
    """One Python file of the house: its place below `src/leerbudget` (or below the root) and its text."""

    place: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree, in the order of `ast.walk`: most rules go through all of them."""
        return list(ast.walk(self.tree))

    @property
    def room(self) -> str:
        """The first folder, or the module when it lies at the top."""
        return Path(self.place).parts[0].removesuffix(".py")

    @property
    def stem(self) -> str:
        """The module's own name."""
        return Path(self.place).stem

    @cached_property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function, methods and inner ones included."""
        return [n for n in self.nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]

    @cached_property
    def docstrings(self) -> set[int]:
        """The identities of the nodes that are prose: strings that stand alone as a statement."""
        return {id(n.value) for n in self.nodes if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}

    @cached_property
    def strings(self) -> list[tuple[int, str]]:
        """Every string that the code uses: its line and its fixed text. Prose is left out."""
        used = [n for n in self.nodes if isinstance(n, ast.JoinedStr | ast.Constant)]
        left_out = self.docstrings | {id(v) for n in used if isinstance(n, ast.JoinedStr) for v in n.values}
        return [
            (n.lineno, fixed_text(n))
            for n in used
            if isinstance(n, ast.JoinedStr) or (isinstance(n.value, str) and id(n) not in left_out)
        ]


def fixed_text(node: ast.AST) -> str:
    """The text of a string or f-string, holes left open."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(fixed_text(v) if isinstance(v, ast.Constant) else " " for v in getattr(node, "values", []))


@cache
def own_tables() -> dict[str, str]:
    """Which room each table belongs to."""
    found = {}
    for path in SRC.glob("*/*tables.py"):
        found.update(dict.fromkeys(re.findall(r'tablename="(\w+)"', path.read_text()), path.parent.name))
    return found


@cache
def floors() -> dict[str, int]:
    """The floor of each room, the ground floor being 0, as the import contract has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    return {room.strip(): level for level, line in enumerate(reversed(layers)) for room in line.split("|")}


# --- the rules: each yields complaints ------------------------------------------------------------------------


def names_that_say_nothing(source: Source) -> Iterator[str]:
    """No dumping grounds, no class whose name means several things."""
    if DUMPING_GROUNDS & {source.stem, *Path(source.place).parts}:
        yield f"{source.place}: this name says nothing about what lives here"
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and node.name in OVERLOADED:
            yield f"{source.place}:{node.lineno}: '{node.name}' means several things here, name it fully"


def too_long(source: Source) -> Iterator[str]:
    """A file is read in one sitting, a function at one glance."""
    if source.text.count("\n") > FILE_LINES_MAX:
        yield f"{source.place}: longer than {FILE_LINES_MAX} lines, split it by verb"
    for f in source.functions:
        if (f.end_lineno or f.lineno) - f.lineno + 1 > FUNCTION_LINES_MAX:
            yield f"{source.place}:{f.lineno} {f.name}: longer than {FUNCTION_LINES_MAX} lines"


def impure(source: Source) -> Iterator[str]:
    """Rules and the matcher never wait: what is async talks to the database."""
    if source.stem == "rules" or source.room == "matcher":
        for f in source.functions:
            if isinstance(f, ast.AsyncFunctionDef):
                yield f"{source.place}:{f.lineno} {f.name}: pure code is never async"


def silent_actions(source: Source) -> Iterator[str]:
    """A public action is async and its docstring names every error that it raises itself."""
    if source.stem != "actions":
        return
    for f in source.tree.body:
        if not isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef) or f.name.startswith("_"):
            continue
        at = f"{source.place}:{f.lineno} {f.name}"
        if isinstance(f, ast.FunctionDef):
            yield f"{at}: an action talks to the database, so it is async"
        for raised in (n for n in ast.walk(f) if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)):
            name = ast.unparse(raised.exc.func).rsplit(".", 1)[-1]
            if name not in (ast.get_docstring(f) or ""):
                yield f"{at}: raises {name} without saying so in its docstring"


def other_clocks(source: Source) -> Iterator[str]:
    """Only `foundation.clock` knows what time it is: a clock in SQL would ignore the travelling one."""
    if source.place == "foundation/clock.py":
        return
    for node in source.nodes:
        if clock_of(node):
            yield f"{source.place}:{node.lineno}: ask foundation.clock for the time"
    if source.room != "foundation":
        for line, text in source.strings:
            if SQL.search(text) and SQL_CLOCK.search(text):
                yield f"{source.place}:{line}: bind foundation.clock's time instead of asking the database for it"


def clock_of(node: ast.AST) -> bool:
    """Whether a node asks Python for the time of day, or brings in what does."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return (ast.unparse(node.func.value).rsplit(".", 1)[-1], node.func.attr) in CLOCKS
    return isinstance(node, ast.ImportFrom) and any((node.module, alias.name) in CLOCKS for alias in node.names)


def open_sql(source: Source) -> Iterator[str]:
    """SQL is composed from constants only; values are always bound parameters (ruff's S608 relies on this)."""
    listed = {id(name) for loop in source.nodes for name in over_literals(loop)}
    for node in source.nodes:
        for part in pieces(node):
            if not constant(part) and id(part) not in listed:
                yield f"{source.place}:{part.lineno}: {ast.unparse(part)} is put into SQL; bind it as a parameter"


def pieces(node: ast.AST) -> list[ast.expr]:
    """What is put into a piece of SQL by an f-string, by +, by % or by format()."""
    if isinstance(node, ast.JoinedStr) and SQL.search(fixed_text(node)):
        return [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        sides = [node.left, node.right]
        if any(SQL.search(fixed_text(side)) for side in sides):
            return [s for s in sides if not isinstance(s, ast.Constant | ast.JoinedStr)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FORMATTING:
        return [*node.args, *(k.value for k in node.keywords)] if SQL.search(fixed_text(node.func.value)) else []
    return []


def over_literals(loop: ast.AST) -> Iterator[ast.Name]:
    """The uses, within its loop, of a variable that goes through strings written out in the `for` itself."""
    if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name):
        items = loop.iter.elts if isinstance(loop.iter, ast.Tuple | ast.List) else [loop.iter]
        if all(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in items):
            yield from (n for n in ast.walk(loop) if isinstance(n, ast.Name) and n.id == loop.target.id)


def constant(part: ast.expr) -> bool:
    """Whether an expression is the name of a constant, `HERE` or `elsewhere.THERE`."""
    name = part.attr if isinstance(part, ast.Attribute) else part.id if isinstance(part, ast.Name) else ""
    return bool(CONSTANT.fullmatch(name))


def foreign_tables(source: Source) -> Iterator[str]:
    """Raw SQL keeps to the floors too: a room writes its own tables and reads those at or below its floor."""
    for line, text in source.strings:
        yield from foreign_tables_in(text, f"{source.place}:{line}", source.room, source.stem)


def foreign_tables_in(text: str, at: str, room: str, stem: str) -> Iterator[str]:
    """The same for one piece of SQL of a room."""
    written = {t for t in SQL_WRITE.findall(text) if t in own_tables()}
    read = {t for t in SQL_READ.findall(text) if t in own_tables()}
    for table in sorted(written):
        if own_tables()[table] != room:
            yield f"{at}: only {own_tables()[table]} writes {table}"
        elif stem == "queries":
            yield f"{at}: a query never writes, {table} is changed here"
    for table in sorted(read - written):
        owner = own_tables()[table]
        if room in {"entrypoints", "app"}:
            yield f"{at}: entrypoints ask {owner}.queries instead of reading {table}"
        elif owner != room and floors()[owner] >= floors().get(room, 0):
            yield f"{at}: {table} belongs to {owner}, which is not below {room}"


def own_transactions(source: Source) -> Iterator[str]:
    """`foundation.database.together()` is the only way to a transaction: it knows savepoints, errors and retries."""
    stand_in = "entrypoints/simulator/faults.py"  # wraps connections, so it hands their transactions on
    if source.room != "foundation" and source.place != stand_in:
        for node in source.nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transaction":
                yield f"{source.place}:{node.lineno}: use together() of foundation.database"


def claimless_tests(source: Source) -> Iterator[str]:
    """A test's docstring is the claim that it proves."""
    if source.stem.startswith("test_"):
        for f in source.functions:
            if f.name.startswith("test_") and not ast.get_docstring(f):
                yield f"{source.place}:{f.lineno} {f.name}: say in a docstring what this proves"


def unkind_words(place: str, text: str) -> Iterator[str]:
    """What people read has no deficit words, no word with two meanings and no bare name of another scheme."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in [*DEFICIT.finditer(line), *BARE_STAP.finditer(line)]:
            yield f"{place}:{number}: '{found[0]}' is not a word for people (docs/begrippen.md)"


def somebodys_folder(place: str, text: str) -> Iterator[str]:
    """Nothing names a folder that only exists on one developer's machine."""
    for number, line in enumerate(text.splitlines(), 1):
        if SOMEBODYS_FOLDER.search(line) or SOMEBODYS_FOLDER.search(f" {place}"):
            yield f"{place}:{number}: names a folder of one machine"


SOURCE_RULES: list[Callable[[Source], Iterator[str]]] = [
    names_that_say_nothing,
    too_long,
    impure,
    silent_actions,
    other_clocks,
    open_sql,
    foreign_tables,
    own_transactions,
]
TEST_RULES: list[Callable[[Source], Iterator[str]]] = [too_long, claimless_tests]


# --- what they are held against ---------------------------------------------------------------------------------


@cache
def house() -> list[Source]:
    """Every Python file of the program; migrations are generated and never edited."""
    found = (p for p in sorted(SRC.rglob("*.py")) if "migrations" not in p.parts)
    return [Source(str(p.relative_to(SRC)), p.read_text()) for p in found]


@cache
def around_the_house() -> list[Source]:
    """Every Python file of the tests, the scripts and the benchmarks."""
    found = (p for folder in ("tests", "scripts", "benchmarks") for p in sorted((ROOT / folder).rglob("*.py")))
    return [Source(str(p.relative_to(ROOT)), p.read_text()) for p in found]


def excused(complaint: str) -> bool:
    """Whether one of the exceptions covers a complaint."""
    return any(complaint.startswith(f"{place}:") and part in complaint for place, part in EXCUSED)


def nobody_complains(complaints: Iterator[str]) -> None:
    """Fail with every complaint that no exception covers, one a line."""
    heard = [complaint for complaint in complaints if not excused(complaint)]
    if heard:
        pytest.fail("\n".join(heard), pytrace=False)


def kept_files() -> list[Path]:
    """Every file that is or may be committed; without git (an unpacked archive) there is nothing to keep."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [p for name in done.stdout.split("\0") if name and (p := ROOT / name).is_file()]


def texts_for_people() -> Iterator[tuple[str, str]]:
    """Templates, mails, translations and the Dutch sentence of every error."""
    for path in sorted(SRC.rglob("*")):
        if path.suffix in {".html", ".jinja", ".po"} or (path.suffix == ".txt" and "templates" in path.parts):
            yield str(path.relative_to(SRC)), path.read_text()
    for source in house():
        for node in source.nodes:
            if isinstance(node, ast.Assign | ast.AnnAssign) and "message_nl" in ast.unparse(node).split("=")[0]:
                yield f"{source.place}:{node.lineno}", fixed_text(node.value) if node.value else ""
        if source.place.startswith(("notifications/", "entrypoints/web/")):
            yield from ((f"{source.place}:{line}", text) for line, text in source.strings)


def held_against(rule: Callable[[Source], Iterator[str]], sources: list[Source]) -> Iterator[str]:
    """What one rule says of these files."""
    return (complaint for source in sources for complaint in rule(source))


def unkind_texts() -> Iterator[str]:
    """What is wrong with the texts for people."""
    return (complaint for place, text in texts_for_people() for complaint in unkind_words(place, text))


def texts_with_folders() -> Iterator[str]:
    """Where a kept file names somebody's folder; pictures are passed over."""
    for path in kept_files():
        text = path.read_bytes().decode(errors="ignore")
        yield from somebodys_folder(str(path.relative_to(ROOT)), text)


@pytest.mark.parametrize("rule", SOURCE_RULES, ids=lambda rule: rule.__name__)
def test_the_house_is_tidy(rule):
    """Every file of the program keeps to this house rule."""
    nobody_complains(held_against(rule, house()))


@pytest.mark.parametrize("rule", TEST_RULES, ids=lambda rule: rule.__name__)
def test_what_stands_around_the_house_is_tidy(rule):
    """Tests, scripts and benchmarks keep to this house rule."""
    nobody_complains(held_against(rule, around_the_house()))


def test_people_read_kind_words():
    """No page, mail or message contains a word that begrippen.md keeps away from people."""
    nobody_complains(unkind_texts())


def test_nothing_names_a_developers_folder():
    """The repository reads the same on every machine."""
    nobody_complains(texts_with_folders())


def test_no_excuse_outlives_its_cause():
    """Every exception to a house rule is still needed."""
    places = {place for place, _ in EXCUSED}
    inside, around = ([s for s in sources if s.place in places] for sources in (house(), around_the_house()))
    heard = [c for rule in SOURCE_RULES for c in held_against(rule, inside)]
    heard += [c for rule in TEST_RULES for c in held_against(rule, around)]
    heard += [*unkind_texts(), *texts_with_folders()]
    stale = [key for key in EXCUSED if not any(c.startswith(f"{key[0]}:") and key[1] in c for c in heard)]
    assert stale == []


SQL_MESS = "async def f(x): await fetch_all({}, x)\n"
MESSES = [
    (names_that_say_nothing, "budgets/utils.py", "", "says nothing"),
    (names_that_say_nothing, "common/money.py", "", "says nothing"),
    (names_that_say_nothing, "budgets/actions.py", "class Session: ...\n", "'Session' means"),
    (names_that_say_nothing, "budgets/tables.py", "class Account: ...\n", "'Account' means"),
    (too_long, "budgets/actions.py", "\n" * 501, "longer than 500"),
    (too_long, "budgets/actions.py", "class A:\n  def f(self):\n" + "    pass\n" * 70, "longer than 70"),
    (impure, "budgets/rules.py", "async def f(): ...\n", "never async"),
    (impure, "matcher/engine.py", "async def f(): ...\n", "never async"),
    (silent_actions, "budgets/actions.py", "def hold(): ...\n", "so it is async"),
    (
        silent_actions,
        "budgets/actions.py",
        "async def hold():\n    'Hold.'\n    raise errors.Gone(x=1)\n",
        "raises Gone",
    ),
    (other_clocks, "budgets/actions.py", "from datetime import datetime\ndatetime.now()\n", "foundation.clock"),
    (other_clocks, "budgets/actions.py", "import datetime as d\nd.date.today()\n", "foundation.clock"),
    (other_clocks, "matcher/engine.py", "from time import time\n", "foundation.clock"),
    (other_clocks, "budgets/actions.py", "Q = 'SELECT 1 WHERE expires_on < now()'\n", "bind foundation.clock"),
    (open_sql, "budgets/actions.py", SQL_MESS.format("f'SELECT 1 FROM budget WHERE id = {x}'"), "x is put into SQL"),
    (open_sql, "budgets/actions.py", SQL_MESS.format("f'DELETE FROM {x.lower()}'"), "x.lower() is put into SQL"),
    (
        open_sql,
        "budgets/actions.py",
        "for t in ('a', b):\n    q = f'DELETE FROM {t} WHERE x = $1'\n",
        "t is put into SQL",
    ),
    (open_sql, "budgets/actions.py", SQL_MESS.format("'SELECT 1 ' + x"), "x is put into SQL"),
    (open_sql, "budgets/actions.py", SQL_MESS.format("'SELECT %s' % x"), "x is put into SQL"),
    (open_sql, "budgets/actions.py", SQL_MESS.format("'SELECT {}'.format(x)"), "x is put into SQL"),
    (foreign_tables, "budgets/actions.py", "Q = 'UPDATE booking SET state = $1'\n", "only bookings writes booking"),
    (foreign_tables, "budgets/actions.py", "Q = 'SELECT 1 FROM family JOIN booking b ON true'\n", "not below budgets"),
    (foreign_tables, "bookings/queries.py", "Q = 'DELETE FROM booking'\n", "a query never writes"),
    (foreign_tables, "entrypoints/web/pages.py", "Q = 'SELECT 1 FROM booking'\n", "entrypoints ask bookings"),
    (own_transactions, "budgets/actions.py", "async def f(): async_with = DB.transaction()\n", "use together()"),
    (claimless_tests, "tests/test_x.py", "def test_x(): ...\n", "say in a docstring"),
    (claimless_tests, "tests/test_x.py", "class TestX:\n  async def test_x(self): ...\n", "say in a docstring"),
]


@pytest.mark.parametrize(("rule", "place", "text", "complaint"), MESSES)
def test_each_rule_notices_its_mess(rule, place, text, complaint):
    """A house rule complains about what it forbids: without this it might check nothing."""
    assert complaint in "\n".join(rule(Source(place, text)))


FINE = [
    (names_that_say_nothing, "ledger/tables.py", "class AccountOrder: ...\n"),
    (silent_actions, "budgets/actions.py", "async def f():\n    '''Raises:\n    Gone: it went.'''\n    raise Gone()\n"),
    (silent_actions, "budgets/actions.py", "def _plain(): ...\n"),
    (other_clocks, "foundation/clock.py", "from datetime import datetime\ndatetime.now()\n"),
    (open_sql, "budgets/actions.py", "Q = f'SELECT {COLUMNS} FROM {rules.TABLE} WHERE id = $1'\n"),
    (open_sql, "budgets/actions.py", "for t in ('a', 'b'):\n    q = f'DELETE FROM {t} WHERE x = $1'\n"),
    (open_sql, "budgets/actions.py", "t = f'{n} of {m} rows are from you'\n"),
    (foreign_tables, "bookings/actions.py", "Q = 'INSERT INTO booking SELECT 1 FROM family FOR UPDATE'\n"),
    (own_transactions, "foundation/engine.py", "DB.transaction()\n"),
]


@pytest.mark.parametrize(("rule", "place", "text"), FINE)
def test_no_rule_complains_about_tidy_code(rule, place, text):
    """A house rule lets through what is right: a rule that always complains is switched off sooner or later."""
    assert list(rule(Source(place, text))) == []


@pytest.mark.parametrize(
    "word", ["uw boeking", "Afboekingen", "Een tekort", "ONVOLDOENDE saldo", "verplichte", "de STAP van"]
)
def test_unkind_words_are_noticed(word):
    """Each kept-away word is found, in capitals and in compounds too."""
    assert list(unkind_words("page.html", f"<p>Dit is {word}</p>"))


@pytest.mark.parametrize("word", ["inschrijving", "de stap die volgt", "boek", "het volgende station"])
def test_kind_words_pass(word):
    """Ordinary words are left alone."""
    assert list(unkind_words("page.html", f"<p>Dit is {word}</p>")) == []


@pytest.mark.parametrize("top", ["home", "Users", "work"])
def test_a_developers_folder_is_noticed(top):
    """A path below someone's home is found; an address on the web with the same word is not."""
    assert list(somebodys_folder("a.md", f"see /{top}/anna/leerbudget"))
    assert list(somebodys_folder("a.md", f"see https://example.org/{top}/anna")) == []
