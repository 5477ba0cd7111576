"""What of a business's mails a guest may do without.

What happened to a booking is not among it: who books is told of it.
"""

from enum import StrEnum


class MailTopic(StrEnum):
    """`marketing` needs the guest's consent as well, given with a booking or on their own pages;
    reminders go to whoever has a place, and what is written to a group to its members.
    """

    MARKETING = "marketing"
    REMINDERS = "reminders"
    GROUPS = "groups"
