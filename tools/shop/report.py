"""What a load found out: the problems, what was done about each, and the tables that came of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, field_serializer
from rich.table import Table

from storewise.tools.shop.contract import Kind

FIRST_ROWS = 3


class Problem(BaseModel):
    """One kind of problem in one column: how often, and its first rows as they stand in the file."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    table: str
    column: str = ""
    count: int = 1
    first: tuple[str, ...] = ()
    detail: str = ""

    @classmethod
    def of(cls, kind: Kind, table: str, column: str = "", count: int = 1) -> Problem:
        """Return a problem that has no rows to show."""
        return cls(kind=kind, table=table, column=column, count=count)

    @field_serializer("kind")
    def _kind_by_name(self, kind: Kind) -> str:
        return kind.name.lower()

    @property
    def where(self) -> str:
        """The table and column: "orders.quantity"."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def sentence(self) -> str:
        """The problem in one line, without its rows."""
        detail = f" ({self.detail})" if self.detail else ""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        done = "stops the load" if self.kind.stops else "does not stop the load"
        return f"{self.where}: {self.kind.title}, {times}{detail}. This {done}: {self.kind.reason}."


class LoadReport(BaseModel):
    """The outcome of a load.

    Attributes:
        loaded: whether the shop was put in place; otherwise the one before is untouched.
        generation: the folder of the new shop, if loaded.
        rows: number of rows by table, as loaded.
        problems: those that stop the load first.
        seconds: how long it took.
    """

    model_config = ConfigDict(frozen=True)

    loaded: bool
    source: str
    generation: str | None = None
    as_of: str | None = None
    rows: dict[str, int] = {}
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0

    @property
    def stopping(self) -> tuple[Problem, ...]:
        """The problems that stop the load."""
        return tuple(problem for problem in self.problems if problem.kind.stops)

    @property
    def headline(self) -> str:
        """The outcome in a sentence or two, with the next command."""
        if not self.loaded:
            return (
                f"Nothing was loaded from {self.source}: {_counted(len(self.stopping), 'problem')} must be "
                f"mended first. Mend the files, then run: storewise load {self.source}"
            )
        odd = _counted(len(self.problems), "oddity", "oddities")
        kept = f", with {odd} listed" if self.problems else ""
        rows = ", ".join(f"{count:,} {table}" for table, count in self.rows.items())
        return (
            f"Loaded {rows} from {self.source} in {self.seconds:.1f} s{kept}. The last complete day is "
            f'{self.as_of}. Ask with: storewise ask "How much did we sell?"'
        )

    def text(self) -> str:
        """Return the report as plain text: the headline, then a paragraph per problem."""
        lines = [self.headline]
        for problem in self.problems:
            lines.append(f"- {problem.sentence}")
            lines += [f"    {row}" for row in problem.first]
        return "\n".join(lines)

    def table(self) -> Table:
        """Return the problems as a table for a terminal; show the headline beside it."""
        table = Table(title=None, show_lines=True)
        for heading in ("Where", "What", "Times", "First rows", "Done"):
            table.add_column(heading, justify="right" if heading == "Times" else "left", overflow="fold")
        for problem in self.problems:
            what = problem.kind.title + (f" ({problem.detail})" if problem.detail else "")
            table.add_row(
                problem.where,
                what,
                f"{problem.count:,}",
                "\n".join(problem.first),
                ("stops the load: " if problem.kind.stops else "listed: ") + problem.kind.reason,
            )
        return table


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
