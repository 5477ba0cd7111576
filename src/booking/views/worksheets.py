"""What the pages about worksheets show, the business's and guests' own."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.worksheets import SheetQuestion
from src.tenants.portal_sections import PortalHead


class WorksheetRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of a business. `number` is the version that is given, 0 before the first; `is_changed`:
    what is being written differs from it. `sent` and `waiting` count its copies.
    """

    id: UUID
    title: str
    active: bool
    number: int
    published_at: datetime | None
    is_changed: bool
    sent: int
    waiting: int
    asked_by: int
    questions: int


class CopyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's copy, with the title that its version has. `reference` is the order's that asked
    for it; `is_erased`: nobody is left who could fill it in.
    """

    id: UUID
    worksheet_id: UUID
    title: str
    number: int
    customer_id: UUID
    customer_name: str
    email: str
    state: str
    said: str
    asked_at: datetime
    sent_at: datetime | None
    given_by: str
    order_id: UUID | None
    reference: str
    is_erased: bool

    @property
    def is_sent(self) -> bool:
        return self.state == "sent"

    @property
    def was_sent(self) -> bool:
        """Whether staff may read its answers: what is only saved is the guest's alone."""
        return self.is_sent or self.state == "reopened"

    @property
    def is_open(self) -> bool:
        """Whether the guest is still to send it."""
        return not self.is_sent and self.state != "taken_back"


class SentAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that was sent, with its answers as they are kept."""

    row: CopyRow
    answers: list[Any]


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file that somebody sent, without what is in it."""

    id: UUID
    key: str
    filename: str
    size: str


class AnswerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it was asked, and the answer in words; `is_long` keeps its lines."""

    label: str
    answer: str
    is_long: bool
    file: FileRow | None


class WorksheetsView(msgspec.Struct, frozen=True, kw_only=True):
    """The list; `files` are kept by now, of `most_files` if there is a limit."""

    rows: list[WorksheetRow]
    files: int
    most_files: int | None
    is_nearly_full: bool
    base: str
    zone: ZoneInfo


class WorksheetFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor of what stands above the questions; `worksheet_id` is None for a new one."""

    form: Any
    worksheet_id: UUID | None
    title: str
    rules: list[tuple[str, str, str]]
    base: str


class QuestionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One question of the draft in the builder."""

    question: SheetQuestion
    kind: str
    detail: str


class WorksheetView(msgspec.Struct, frozen=True, kw_only=True):
    """The builder of one, with who has filled it in and who has not."""

    row: WorksheetRow
    introduction: str
    rule: str
    questions: list[QuestionRow]
    versions: list[tuple[int, datetime, str, int]]
    asked_by: list[tuple[str, str]]
    sent: list[CopyRow]
    waiting: list[CopyRow]
    base: str
    here: str
    zone: ZoneInfo
    previous_href: str | None
    next_href: str | None


class QuestionFormView(msgspec.Struct, frozen=True, kw_only=True):
    """One question being written; `key` is empty for a new one."""

    form: Any
    key: str
    title: str
    kinds: list[tuple[str, str]]
    here: str
    base: str


class PublishSheetView(msgspec.Struct, frozen=True, kw_only=True):
    """Before a version is published: the form as guests will see it, and what follows. `shown` is
    its mark.
    """

    title: str
    introduction: str
    form: Any
    questions: list[SheetQuestion]
    accept: str
    kinds: str
    shown: str
    number: int
    begun: int
    is_same: bool
    active: bool
    asks: int
    error: str
    here: str
    base: str


class SheetAskedForView(msgspec.Struct, frozen=True, kw_only=True):
    """What asks for a worksheet, to be chosen."""

    form: Any
    title: str
    services: list[tuple[str, str]]
    series: list[tuple[str, str]]
    packages: list[tuple[str, str]]
    here: str
    base: str


class CopyView(msgspec.Struct, frozen=True, kw_only=True):
    """One copy with its answers once they were sent, on the screen or on paper. `saved_at` is when
    its guest kept something last, and `is_corrected`: they have since staff opened it again.
    """

    row: CopyRow
    saved_at: datetime | None
    is_corrected: bool
    form: Any
    introduction: str
    answers: list[AnswerRow]
    reopened_why: str
    business: str
    files: str
    here: str
    back: str
    back_label: str
    base: str
    zone: ZoneInfo


class FillView(msgspec.Struct, frozen=True, kw_only=True):
    """A guest fills one in, or reads what they sent. `head` is there on their own pages; `files`
    are by the keys of their questions, and `there` is where they can be had. `version` is the one
    whose `questions` are shown, and comes back with the answers.
    """

    head: PortalHead | None
    row: CopyRow
    introduction: str
    version: str
    questions: list[SheetQuestion]
    answers: list[AnswerRow]
    files: dict[str, FileRow]
    form: Any
    accept: str
    kinds: str
    reopened_why: str
    there: str
    action: str
    back: str
    zone: ZoneInfo


class PortalWorksheetsView(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's own: what they are still to fill in, and what they sent."""

    head: PortalHead
    waiting: list[CopyRow]
    sent: list[CopyRow]
    here: str
    zone: ZoneInfo


class WorksheetsWaiting(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest is to fill in, on the first of their own pages or a booking's: each a title and
    where it is filled in. On the page of a booking whose reader has not shown who they are the
    links are empty, and it may be that all of it has been filled in.
    """

    items: list[tuple[str, str]]
    href: str
    is_known: bool = True


class OfCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's copies on staff's page about them, how many files came with them, and what can
    be given.
    """

    rows: list[CopyRow]
    files: int
    choices: list[tuple[str, str]]
    token: UUID
