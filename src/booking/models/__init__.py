"""Rows of the booking package."""

from src.booking.models.agreements import (
    Agreement,
    AgreementNeed,
    AgreementSignature,
    AgreementVersion,
)
from src.booking.models.availability import (
    ClosedDay,
    DayHours,
    ServicePerformer,
    WeeklyHours,
)
from src.booking.models.cancelling import CancellationReturn
from src.booking.models.collections import Collection, CollectionItem, CollectionSlug
from src.booking.models.feeds import CalendarFeed
from src.booking.models.groups import (
    Group,
    GroupGiver,
    GroupMember,
    GroupPost,
    GroupPostMail,
    GroupSlug,
    GroupSource,
)
from src.booking.models.offer import Series, Service, Session, SessionChange, TimetableImport
from src.booking.models.sold import (
    Booking,
    Cancellation,
    HandingOn,
    LeaveRequest,
    ReminderSent,
    Seat,
)
from src.booking.models.waiting import WaitlistEntry, WaitlistOffer
from src.booking.models.worksheets import (
    Worksheet,
    WorksheetCopy,
    WorksheetFile,
    WorksheetNeed,
    WorksheetVersion,
)
from src.booking.models.written import Broadcast, BroadcastMail, Digest

__all__ = [
    "Agreement",
    "AgreementNeed",
    "AgreementSignature",
    "AgreementVersion",
    "Booking",
    "Broadcast",
    "BroadcastMail",
    "CalendarFeed",
    "Cancellation",
    "CancellationReturn",
    "ClosedDay",
    "Collection",
    "CollectionItem",
    "CollectionSlug",
    "DayHours",
    "Digest",
    "Group",
    "GroupGiver",
    "GroupMember",
    "GroupPost",
    "GroupPostMail",
    "GroupSlug",
    "GroupSource",
    "HandingOn",
    "LeaveRequest",
    "ReminderSent",
    "Seat",
    "Series",
    "Service",
    "ServicePerformer",
    "Session",
    "SessionChange",
    "TimetableImport",
    "WaitlistEntry",
    "WaitlistOffer",
    "WeeklyHours",
    "Worksheet",
    "WorksheetCopy",
    "WorksheetFile",
    "WorksheetNeed",
    "WorksheetVersion",
]
