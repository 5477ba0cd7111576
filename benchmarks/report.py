"""benchmarks/RESULTS.md: the figures of the last run, and what people wrote about them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.runs import Line, Report

RESULTS = Path(__file__).with_name("RESULTS.md")
ANALYSIS = "## Where the time goes"
"""From this heading on the file is written by hand and kept."""

HEAD = """# Benchmarks

What Seatline costs on one small machine, beside the same statements without a program around them
and beside pretix, the free system that a business would pick instead. `make bench` measures again
and writes this page; it takes about {minutes} minutes.

- When: {when}, commit {commit}.
- Machine: {machine}. Everything shares these cores: the load, the servers, the stand-ins.
- Load average {load_before:.1f} before the run, {load_after:.1f} after it.{busy}
- Versions: {versions}.

## How the figures were got

- PostgreSQL with fsync and synchronous commits, Valkey with its log synced every second, one web
  process (granian, one worker, uvloop), one worker, one relay, all with the settings of `make demo`
  but logs as JSON. Mails go to the mailbox and payments to the stand-in, over loopback.
- CPU is user and system time of web, worker, relay, PostgreSQL with all its backends, and Valkey,
  read before and after a round; a round ends when the outbox is empty, so the mail of each booking
  is made and sent within it. Load generator, mailbox and stand-in are not counted. What the
  programs do while nobody asks, {idle:.1f} ms in each second, is.
- Each figure is the median of {rounds} rounds after a warm-up; latencies are of all rounds.
- pgbench runs between the rounds, on the same server, as the program's own role. Its scripts are
  recorded from the program in the same run: the statements of one request in their transactions,
  with new ids for each run, prepared. It does nothing that follows a booking: no mail, no relay.
- A ratio is the program's throughput over pgbench's, or plain time over the program's.
- The hub's page is kept for a second by the process that made it. "Made anew" is the same page
  under addresses that nobody has asked for before; pgbench runs the statements of one of those.
- Credits are measured in a business that has sold 100,000 lots with 1,000,000 entries in ten
  months, and in one with a tenth of that; `--lots` makes both smaller. Of ten lots five last, two
  are used up, two were written off, and one ends tonight. They are filled by COPY without checks of
  foreign keys, and vacuumed. Growth is the servers' CPU of the large one over that of the small
  one. Paying is the command itself; its CPU in the load's own process counts, as `program`, and so
  do the mails. pgbench pays with other lots, customers and dates in each run. The night is the
  job's own time until all is written off and the mails are queued, with no worker sharing in it;
  pgbench has nothing beside it.
- pretix's figures were measured on two cores as well.

"""


def write(reports: Sequence[Report], facts: dict[str, object]) -> str:
    """The new page, written to RESULTS."""
    page = render(reports, facts) + "\n" + _analysis()
    RESULTS.write_text(page, encoding="utf-8")
    return page


def render(reports: Sequence[Report], facts: dict[str, object]) -> str:
    """The figures without what people wrote about them."""
    page = HEAD.format(**facts) + _table([line for found in reports for line in found.lines])
    for report in reports:
        page += f"\n### {report.title}\n\n" + "".join(f"- {one}\n" for one in report.details)
    return page


def _table(lines: Sequence[Line]) -> str:
    rows = ["## Figures", "", "| What | Seatline | Goal | | pgbench | Ratio | pretix |"]
    rows.append("|---|--:|--:|---|--:|--:|--:|")
    verdicts = {True: "met", False: "missed", None: ""}
    rows += [
        f"| {line.what} | **{line.figure}** | {line.goal} | {verdicts[line.met]} | {line.baseline}"
        f" | {line.ratio} | {line.pretix} |"
        for line in lines
    ]
    return "\n".join(rows) + "\n"


def _analysis() -> str:
    before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    _figures, heading, written = before.partition(ANALYSIS)
    return ANALYSIS + (written if heading else "\n\nNobody has looked yet.\n")


def now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
