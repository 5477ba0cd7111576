"""A business that has one of everything that can be named by an id."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.voucher_lines import vouchers_of
from src.billing.commands.voucher_sales import SellVoucher, sell_voucher_by_staff
from src.billing.domain.kinds import PaymentMode
from src.billing.fee_links import fee_path
from src.billing.models import (
    Coupon,
    Fee,
    Instalment,
    OpenItem,
    Order,
    Payment,
    ProcessorCustomer,
    Refund,
    SavedCard,
)
from src.billing.voucher_links import purchase_path, voucher_path
from src.booking.calendar_links import calendar_url
from src.booking.check_in_codes import check_in_code
from src.booking.commands.cancel import cancel_session
from src.booking.commands.feeds import make_booking_feed
from src.booking.guest_links import booking_path, package_path
from src.booking.models import (
    AgreementSignature,
    Booking,
    Broadcast,
    LeaveRequest,
    Seat,
    TimetableImport,
    WaitlistEntry,
    WorksheetFile,
)
from src.booking.waitlist_links import waitlist_token
from src.booking.worksheet_links import worksheet_path
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.bolt_ons import GiveBoltOn, give_bolt_on
from src.tenants.commands.portal import ask_for_code
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.domain.portal import mark_of
from src.tenants.domain.roles import Role
from src.tenants.models import (
    ApiKey,
    Customer,
    CustomerNote,
    Invitation,
    Location,
    Member,
    Participant,
    Performer,
)
from src.tenants.portal_links import NewAddress, PortalLink, new_address_url, portal_link_url
from src.tenants.queries.bolt_ons import find_bolt_on
from src.tenants.queries.portal import Proved
from src.tenants.unsubscribe_links import unsubscribe_url
from tests.booking.commands.test_book import a_wish, booked
from tests.support.agreements import an_agreement, versions_of
from tests.support.appointments import a_practice
from tests.support.builders import Business, a_member, a_series, a_service, a_session, as_guest
from tests.support.collections import a_collection, an_item_of
from tests.support.credits import a_package
from tests.support.groups import a_group, a_group_member, a_post
from tests.support.lots import lot_of
from tests.support.worksheets import a_sent_copy, a_worksheet, ask


async def a_bought_package(services: Services, business: Business, package_id: UUID) -> Order:
    """Bought to be paid on site."""
    wish = BuyCommand(
        package_id=package_id,
        guest_name="Bob",
        guest_email=f"bob@{business.slug}.example",
        form_token=f"package-{business.slug}",
        way=PaymentMode.ON_SITE,
    )
    async with services.uow_factory(business.id) as uow:
        return await buy_package(uow, as_guest(business), wish)


async def everything(services: Services, business: Business) -> dict[str, object]:
    """One of everything of the business, by the names that paths give their places.

    Some more: `loose_session_id` is in no series, `payment` is one of the order, and the service
    `appointments_of` is given by appointment.
    """
    factory = services.uow_factory
    service = await a_service(factory, business.id, slug=f"{business.slug}-yoga")
    practice = await a_practice(factory, business, slug=f"{business.slug}-coaching")
    loose = await a_session(factory, service, in_days=40)
    session = await a_session(factory, service)
    term = await a_series(factory, service, price_type="free", price_minor=0)
    max_ = await a_member(factory, business, f"Max-{business.slug}", Role.INSTRUCTOR)
    made = await booked(factory, business, a_wish("series", term.series.id))
    agreement_id = await an_agreement(
        factory, business, title=f"Waiver {business.slug}", series_ids=[term.series.id]
    )
    (version,) = await versions_of(factory, business)
    question = f"{business.slug}-q"
    worksheet_id = await a_worksheet(
        factory, business, title=f"Health {business.slug}", questions=[ask(question, "How?")]
    )
    package = await a_package(factory, business.id)
    given_back = await a_package(
        factory, business.id, name="Make-up", purpose="refund", price_minor=0, pays=[]
    )
    bought = await a_bought_package(services, business, package.id)
    offers = await a_collection(
        factory,
        business.id,
        package,
        title="Offers",
        slug=f"{business.slug}-offers",
        established_only=False,
    )
    lot = await lot_of(factory, business.id, made.order.customer_id, package_id=package.id)
    group_id = await a_group(
        factory, business, title="Birds", slug=f"{business.slug}-birds", shows_members=True
    )
    async with factory(business.id) as uow:
        now = uow.clock.now()
        performer = Performer(tenant_id=business.id, id=new_id(), name="Ivan", created_at=now)
        location = Location(tenant_id=business.id, id=new_id(), name="Hall", created_at=now)
        key = ApiKey(
            tenant_id=business.id,
            id=new_id(),
            name="site",
            secret_hash="x",
            last_four="abcd",
            created_by=business.owner.id,
            created_at=now,
        )
        payment = Payment(
            tenant_id=business.id,
            id=new_id(),
            order_id=made.order_id,
            account_id=f"acct_{business.slug}",
            payment_intent_id=f"pi_{business.slug}",
            amount_minor=6000,
            currency="EUR",
            received_at=now,
        )
        coupon = Coupon(
            tenant_id=business.id,
            id=new_id(),
            code="SPRING",
            percent=10,
            created_at=now,
            updated_at=now,
        )
        uow.session.add_all([performer, location, key, payment, coupon])
        await uow.session.flush()
        refund = Refund(
            tenant_id=business.id,
            id=new_id(),
            order_id=made.order_id,
            payment_id=payment.id,
            amount_minor=100,
            cause="staff",
            cause_key="one",
            state="failed",
            body={},
            created_at=now,
        )
        item = OpenItem(
            tenant_id=business.id,
            id=new_id(),
            kind="refund_failed",
            subject_id=refund.id,
            sentence="Look here.",
            created_at=now,
        )
        upload = TimetableImport(
            tenant_id=business.id,
            id=new_id(),
            service_id=service.id,
            filename="times.csv",
            content=b"title,date,start,end\n",
            options={"default_capacity": 5},
            digest="",
            created_at=now,
        )
        invitation = Invitation(
            tenant_id=business.id,
            id=new_id(),
            email="i@x.example",
            role="instructor",
            invited_by=business.owner.id,
            created_at=now,
            expires_at=now + timedelta(days=7),
        )
        note = CustomerNote(
            tenant_id=business.id,
            id=new_id(),
            customer_id=made.order.customer_id,
            text="Prefers the back row.",
            author_name="Olive",
            created_at=now,
        )
        other = Customer(tenant_id=business.id, id=new_id(), name="Karl", created_at=now)
        broadcast = Broadcast(
            tenant_id=business.id,
            id=new_id(),
            audiences=[f"session:{loose.id}"],
            is_marketing=False,
            to_later=False,
            subject="News",
            body="Hello",
            total=1,
            sent_by="Olive",
            sent_at=now,
        )
        asked = LeaveRequest(
            tenant_id=business.id,
            id=new_id(),
            booking_id=made.booking_id,
            reason="We move away.",
            asked_at=now,
        )
        waits = WaitlistEntry(
            tenant_id=business.id,
            id=new_id(),
            session_id=loose.id,
            address="ann@x.example",
            name="Ann",
            locale="en",
            party_size=1,
            joined_at=now,
            queued_at=now,
        )
        fee = Fee(
            tenant_id=business.id,
            id=new_id(),
            customer_id=made.order.customer_id,
            order_id=made.order_id,
            subject_id=new_id(),
            kind="no_show",
            amount_minor=500,
            currency="EUR",
            what="Yoga",
            starts_at=now,
            at=now,
            by="staff",
            chargeable_at=now + timedelta(days=1),
        )
        part = Instalment(
            tenant_id=business.id,
            id=new_id(),
            order_id=made.order_id,
            number=1,
            due_on=now.date(),
            minor=500,
        )
        lia = Participant(
            tenant_id=business.id,
            id=new_id(),
            customer_id=made.order.customer_id,
            name="Lia",
            kept_at=now,
        )
        signature = AgreementSignature(
            tenant_id=business.id,
            id=new_id(),
            version_id=version.id,
            customer_id=made.order.customer_id,
            order_id=None,
            name="Carl",
            address="203.0.113.7",
            browser="Firefox",
            how="portal",
            is_proved=True,
            signed_at=now,
        )
        uow.session.add(signature)
        sheet = await a_sent_copy(uow, business, worksheet_id, made.order.customer_id)
        letter = await uow.session.scalar(select(WorksheetFile))
        assert letter is not None
        known_as = ProcessorCustomer(
            tenant_id=business.id,
            id=new_id(),
            customer_id=made.order.customer_id,
            account_id=f"acct_{business.slug}",
            processor_id=f"cus_{business.slug}",
            body={},
            created_at=now,
        )
        kept = SavedCard(
            tenant_id=business.id,
            id=new_id(),
            customer_id=made.order.customer_id,
            processor_customer_id=known_as.id,
            account_id=f"acct_{business.slug}",
            payment_method_id=f"pm_{business.slug}",
            brand="visa",
            last4="4242",
            exp_month=12,
            exp_year=2034,
            fingerprint="",
            consent={},
            created_at=now,
        )
        uow.session.add(known_as)
        await uow.session.flush()
        uow.session.add(kept)
        uow.session.add_all([fee, lia, part])
        uow.session.add_all([refund, item, upload, invitation, note, other, broadcast, asked])
        uow.session.add(waits)
        max_is_member = (Member.tenant_id == business.id, Member.user_id == max_.user_id)
        member_id = await uow.session.scalar(select(Member.id).where(*max_is_member))
        booking = await uow.session.get_one(Booking, (business.id, made.booking_id))
        cancellation_id = await cancel_session(
            uow, business.ctx, session.id, reason="", undo_seconds=60
        )
        order = await uow.session.get_one(Order, (business.id, made.order_id))
        secret = await make_booking_feed(uow, made.order_id)
        choice = unsubscribe_url(
            services.settings, business.tenant, order.customer_id, MailTopic.MARKETING, now
        )
        calendar = calendar_url(
            services.settings, business.tenant, order.customer_id, order.guest_email, now
        )
        code_id = await ask_for_code(uow, order.guest_email)
        proved = Proved(customer_id=order.customer_id, mark=mark_of(order.guest_email))
        way_in = portal_link_url(
            services.settings, business.tenant, PortalLink(code_id=code_id, proved=proved), now
        )
        new_address = new_address_url(
            services.settings, business.tenant, NewAddress(proved=proved, email="n@x.example"), now
        )
        last = Seat.session_id == term.sessions[2].id
        left_seat_id = await uow.session.scalar(select(Seat.id).where(last))
        second = Seat.session_id == term.sessions[1].id
        moved_seat_id = await uow.session.scalar(select(Seat.id).where(second))
        seat_id = await uow.session.scalar(
            select(Seat.id)
            .where(Seat.tenant_id == business.id, Seat.session_id == term.sessions[0].id)
            .limit(1)
        )
        more = await find_bolt_on(uow, "bookings_100")
        assert more is not None
        given = GiveBoltOn(key=more.key, version_id=more.version_id)
        held_id = await give_bolt_on(uow, business.ctx, given)
        sold = await sell_voucher_by_staff(
            uow,
            business.ctx,
            SellVoucher(
                amount_minor=5000,
                buyer_name="Bea",
                buyer_email=f"bea@{business.slug}.example",
                form_token=f"sold-{business.slug}",
                is_paid=True,
            ),
        )
        (voucher,) = await vouchers_of(uow, sold.id)
        code = check_in_code(services.settings, order)
        claim = fee_path(services.settings, business.slug, fee, order).rpartition("/")[2]
        token = booking_path(services.settings, business.slug, order).rpartition("/")[2]
    return {
        "slug": business.slug,
        "business_id": business.id,
        "key": "growth",
        "bolt_on": "bookings_100",
        "held_id": held_id,
        "kind": "confirmed",
        "token": token,
        "claim": claim,
        "fee_id": fee.id,
        "part_id": part.id,
        "secret": secret,
        "choice": choice.rpartition("/")[2],
        "calendar": calendar.rpartition("/")[2],
        "way_in": way_in.rpartition("/")[2],
        "address": new_address.rpartition("/")[2],
        "guest_email": order.guest_email,
        "code": code,
        "service_slug": service.slug,
        "user_id": business.owner.id,
        "loose_session_id": loose.id,
        "seat_id": seat_id,
        "service_id": service.id,
        "appointments_of": practice.service.id,
        "session_id": term.sessions[0].id,
        "series_id": term.series.id,
        "booking_id": booking.id,
        "order_id": made.order_id,
        "coupon_id": coupon.id,
        "agreement_id": agreement_id,
        "agreement_slug": f"waiver-{business.slug}",
        "version_id": version.id,
        "worksheet_id": worksheet_id,
        "question": question,
        "copy_id": sheet.id,
        "file_id": letter.id,
        "sheet": worksheet_path(
            services.settings, business.slug, sheet, order.guest_email, sheet.asked_at
        ).rpartition("/")[2],
        "signature_id": signature.id,
        "number": 1,
        "package_id": package.id,
        "collection_id": offers.id,
        "collection_item_id": await an_item_of(services, offers),
        "collection_slug": offers.slug,
        "group_id": group_id,
        "group_slug": f"{business.slug}-birds",
        "group_member_id": await a_group_member(
            factory, business, group_id, made.order.customer_id
        ),
        "group_post_id": await a_post(factory, business, group_id),
        "refund_package_id": given_back.id,
        "bought": package_path(services.settings, business.slug, bought).rpartition("/")[2],
        "lot_id": lot.id,
        "voucher_id": voucher.id,
        "voucher": voucher_path(services.settings, business.slug, voucher).rpartition("/")[2],
        "purchase": purchase_path(services.settings, business.slug, sold).rpartition("/")[2],
        "act": "add",
        "performer_id": performer.id,
        "location_id": location.id,
        "key_id": key.id,
        "cancellation_id": cancellation_id,
        "payment_id": payment.id,
        "refund_id": refund.id,
        "item_id": item.id,
        "import_id": upload.id,
        "customer_id": made.order.customer_id,
        "other_id": other.id,
        "note_id": note.id,
        "broadcast_id": broadcast.id,
        "request_id": asked.id,
        "entry_id": waits.id,
        "place": waitlist_token(services.settings, waits),
        "left_seat_id": left_seat_id,
        "participant_id": lia.id,
        "card_id": kept.id,
        "moved_seat_id": moved_seat_id,
        "invitation_id": invitation.id,
        "member_id": member_id,
        "payment": payment.id,
    }
