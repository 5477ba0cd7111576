"""The booking core, driven at random against a model of it that fits on a few pages.

Each step is one command on the real database, or few that belong together. It must be allowed or
refused as the model says, and after it every seat, session, order, coupon, entry and offer is what
the model has, and the domain's invariants hold. When everything due has been done, every guest was
told once, nobody who waits was forgotten, and the processor has given back what our books say.

The steps are in `buying`, `holding`, `crediting`, `changing`, `calling_off` and `waiting`, each of
which adds to the one before it.
"""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from src.billing.commands.payment_settings import take_transfers
from src.billing.domain.transfers import TransferTerms
from tests.properties.buying import GUEST, PICK, SIZE
from tests.properties.driver import GUESTS
from tests.properties.invariants import i8_rows_that_a_stranger_sees
from tests.properties.model import Model
from tests.properties.offers import Offers
from tests.properties.steps import Steps
from tests.properties.transfers_model import DAYS, LEAD_DAYS
from tests.properties.waiting import Waiting

TRANSFERS = TransferTerms(
    holder="Lotus", iban="DE89370400440532013000", days=DAYS, lead_days=LEAD_DAYS
)


class BookingCore(Waiting):
    """Guests who book and change their minds, an owner who does, money, and time."""

    @initialize(
        bought=st.lists(st.tuples(PICK, SIZE, GUEST, st.booleans()), max_size=4),
        waits=st.lists(st.tuples(PICK, SIZE, st.permutations(GUESTS)), max_size=2),
    )
    def open_shop(
        self, bought: list[tuple[int, int, str, bool]], waits: list[tuple[int, int, list[str]]]
    ) -> None:
        """A new business, some of whose places have been paid for, and are waited for."""
        self.shop = self.world.open_shop()
        self.steps = Steps(self.shop)
        self.model = self.shop.run(self._fill())
        for pick, size, guest, heard in bought:
            self.book_and_pay(pick, size, guest, None, heard)
        for pick, size, guests in waits:
            self.fill_and_join(pick, size, guests)

    async def _fill(self) -> Model:
        async with self.shop.factory(self.shop.id) as uow:
            await take_transfers(uow, self.shop.business.ctx, TRANSFERS)
            return await Offers(uow).open()

    def teardown(self) -> None:
        """Time goes on until nothing is under way."""
        if not hasattr(self, "model"):
            return
        for sale in self.model.sales:
            if sale.taken:
                self._hear(sale)
        for sale in self._held_by_link():
            self._release_held(sale)
        self.wait(timedelta(minutes=40))
        self.sweep()
        self.wait(timedelta(seconds=11))
        self.deliver()
        self.all_is_well()
        assert self.shop.run(self._seen_by_a_stranger()) == 0
        waiting = [sale for sale in self.model.sales if sale.state == "open"]
        assert all(sale.mode == "transfer" for sale in waiting)
        self.shop.run(self.shop.close())

    async def _seen_by_a_stranger(self) -> int:
        async with self.stranger.factory(self.stranger.id) as uow:
            return await i8_rows_that_a_stranger_sees(uow)
