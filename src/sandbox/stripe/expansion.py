"""`expand[]`: puts whole objects in the place of their ids."""

from src.sandbox.stripe.engine import PLATFORM, Work
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.objects import charges, checkout_sessions
from src.sandbox.stripe.store import Obj

_MOST_LEVELS = 4


def expand(work: Work, answer: Obj, paths: list[str]) -> Obj:
    """The answer with every path followed; `data.x` reaches into the items of a list."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _MOST_LEVELS:
            raise ApiError(
                f"You cannot expand more than 4 levels of a property. Property: {path}",
                param="expand",
                saved=False,
            )
        _follow(work, answer, steps, path)
    return answer


def _follow(work: Work, obj: Obj, steps: list[str], path: str) -> None:
    name, rest = steps[0], steps[1:]
    if obj.get("object") == "list" and name == "data":
        for item in obj["data"]:
            _follow(work, item, rest, path)
        return
    if name not in obj and not _include(work, obj, name):
        raise _refusal(path)
    if isinstance(obj[name], str):
        obj[name] = _whole(work, obj[name], path)
    if rest and obj[name] is not None:
        if not isinstance(obj[name], dict):
            raise _refusal(path)
        _follow(work, obj[name], rest, path)


def _include(work: Work, obj: Obj, name: str) -> bool:
    """Fields that are only there when asked for."""
    if (obj.get("object"), name) == (checkout_sessions.KIND, "line_items"):
        obj[name] = checkout_sessions.lines_of(work, obj["id"])
    elif (obj.get("object"), name) == (charges.KIND, "refunds"):
        obj[name] = charges.refunds_of(work, obj["id"])
    else:
        return False
    return True


def _whole(work: Work, object_id: str, path: str) -> Obj:
    found = work.store.locate(object_id)
    if found is None or found[0] not in (work.account, PLATFORM):
        raise _refusal(path)
    return found[1]


def _refusal(path: str) -> ApiError:
    return ApiError(f"This property cannot be expanded ({path}).", param="expand", saved=False)
