"""The mailbox's pages for people, its JSON for tests, and the knobs that make it fail."""

from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from litestar import Litestar, Response, delete, get, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Redirect

from src.sandbox.mailbox.faults import Fault, Faults
from src.sandbox.mailbox.mails import Mail
from src.sandbox.mailbox.pages import AnyRequest, download, html_of, show
from src.sandbox.mailbox.store import MailStore

PAGE_SIZE = 50
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def create_app(store: MailStore, faults: Faults) -> Litestar:
    """Serves the store; anybody who reaches the port sees every mail, so keep it on loopback."""
    return Litestar(
        [
            list_page,
            mail_page,
            mail_html,
            mail_source,
            attachment,
            delete_page,
            api_list,
            api_mail,
            api_delete,
            show_faults,
            set_fault,
        ],
        state=State({"store": store, "faults": faults}),
        before_request=refuse_other_sites,
        exception_handlers={NotFoundException: not_found},
        openapi_config=None,
        logging_config=None,
        pdb_on_exception=False,
    )


async def refuse_other_sites(request: AnyRequest) -> None:
    """No page of another site may empty the mailbox or turn its knobs through a browser."""
    origin = request.headers.get("Origin")
    if request.method in SAFE_METHODS or origin is None:
        return
    if urlsplit(origin).netloc != request.headers.get("Host"):
        raise PermissionDeniedException("This request comes from another site.")


def not_found(request: AnyRequest, error: NotFoundException) -> Response[Any]:
    if request.url.path.startswith("/api/"):
        return Response({"detail": error.detail}, status_code=404)
    return show(request, "gone.html", status=404)


@get("/")
async def list_page(
    request: AnyRequest,
    to: FromQuery[str] = "",
    q: FromQuery[str] = "",
    page: FromQuery[int] = 1,
) -> Response[str]:
    store = _store(request)
    found = store.find(to, q)
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(page, 1), pages)
    return show(
        request,
        "list.html",
        mails=found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        found=len(found),
        total=len(store),
        recipients=store.recipients(),
        copies=store.copies(),
        to=to,
        q=q,
        page=page,
        older=_list_address(to, q, page + 1) if page < pages else None,
        newer=_list_address(to, q, page - 1) if page > 1 else None,
    )


@get("/messages/{mail_id:str}")
async def mail_page(request: AnyRequest, mail_id: FromPath[str]) -> Response[str]:
    mail = _mail(request, mail_id)
    copies = _store(request).copies()[mail.message_id] if mail.message_id else 1
    return show(request, "mail.html", mail=mail, copies=copies)


@get("/messages/{mail_id:str}/html")
async def mail_html(request: AnyRequest, mail_id: FromPath[str]) -> Response[str]:
    return html_of(_mail(request, mail_id))


@get("/messages/{mail_id:str}/source")
async def mail_source(request: AnyRequest, mail_id: FromPath[str]) -> Response[bytes]:
    mail = _mail(request, mail_id)
    return download(_store(request).source(mail.id), f"{mail.id}.eml", "message/rfc822")


@get("/messages/{mail_id:str}/attachments/{number:int}")
async def attachment(
    request: AnyRequest, mail_id: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """`number` counts from 1, in the order of the mail's parts."""
    attachments = _mail(request, mail_id).attachments
    if not 1 <= number <= len(attachments):
        raise NotFoundException("There is no such attachment.")
    found = attachments[number - 1]
    return download(found.content, found.filename, found.content_type)


@post("/messages/delete", status_code=303)
async def delete_page(request: AnyRequest) -> Redirect:
    _store(request).clear()
    return Redirect("/", status_code=303)


@get("/api/messages")
async def api_list(
    request: AnyRequest,
    to: FromQuery[str] = "",
    q: FromQuery[str] = "",
    limit: FromQuery[int] = 100,
) -> list[dict[str, Any]]:
    """Whole mails, the newest first; attachments in base64."""
    found = _store(request).find(to, q)[: max(limit, 0)]
    return [_as_json(request, _mail(request, summary.id)) for summary in found]


@get("/api/messages/{mail_id:str}")
async def api_mail(request: AnyRequest, mail_id: FromPath[str]) -> dict[str, Any]:
    return _as_json(request, _mail(request, mail_id))


@delete("/api/messages")
async def api_delete(request: AnyRequest) -> None:
    _store(request).clear()


@get("/_faults")
async def show_faults(request: AnyRequest) -> Fault:
    return _faults(request).current


@post("/_faults", status_code=200)
async def set_fault(request: AnyRequest, data: JSONBody[Fault]) -> Fault:
    """Replaces the fault that was on; `{"mode": "ok"}` ends it."""
    _faults(request).current = data
    return data


def _store(request: AnyRequest) -> MailStore:
    store: MailStore = request.app.state.store
    return store


def _faults(request: AnyRequest) -> Faults:
    faults: Faults = request.app.state.faults
    return faults


def _mail(request: AnyRequest, mail_id: str) -> Mail:
    mail = _store(request).get(mail_id)
    if mail is None:
        raise NotFoundException("There is no such mail.")
    return mail


def _as_json(request: AnyRequest, mail: Mail) -> dict[str, Any]:
    copies = _store(request).copies()[mail.message_id] if mail.message_id else 1
    encoded: dict[str, Any] = msgspec.to_builtins(mail)
    return {**encoded, "snippet": mail.snippet, "copies": copies}


def _list_address(to: str, q: str, page: int) -> str:
    values = {"to": to, "q": q, "page": str(page) if page > 1 else ""}
    return "/?" + urlencode({name: value for name, value in values.items() if value})
