"""Events, as the API lists them; they are written by `Work.emit`."""

from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.objects.listing import list_objects
from src.sandbox.stripe.store import Obj


def retrieve(work: Work, params: Obj, event_id: str) -> Obj:
    return work.get("event", event_id)


def list_all(work: Work, params: Obj) -> Obj:
    narrowed = {"type": params["types"]} if "types" in params else {}
    return list_objects(work, "event", "/v1/events", params, ("type",), **narrowed)
