"""/app/<slug>/settings/mails: every mail to guests, and the business's own words for it."""

import re
from html import escape
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import InvalidInput
from src.platform.i18n import _, available_locales, babel_locale
from src.platform.mail.queue import Mail
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.wordings import check_wording, get_mail_kind, reset_mail, word_mail
from src.tenants.context import RequestContext
from src.tenants.domain.wording import Wording
from src.tenants.queries.wordings import find_wordings
from src.tenants.web.settings_tabs import MAY_SET, Tab, settings_path, settings_tabs
from src.tenants.worded_mails import SHIPPED, MailKind, Preview, Wordings, language_of, mail_kinds

HOME = "/app/{slug:str}/settings/mails"
ONE = HOME + "/{kind:str}"
_BODY = re.compile("<body[^>]*>")
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
"""A mail brings its looks along, and nothing in it may run or load."""


class WordingForm(msgspec.Struct):
    """A mail's words as typed, in one language; with the tick, also if they are the proposal."""

    language: Annotated[str, Meta(max_length=20)] = ""
    subject: Annotated[str, Meta(max_length=1_000)] = ""
    body: Annotated[str, Meta(max_length=20_000)] = ""
    as_they_are: bool = False


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """`languages`: those for which the business has words of its own."""

    title: str
    occasion: str
    href: str
    languages: list[str]


class MailsView(msgspec.Struct, frozen=True, kw_only=True):
    tabs: list[Tab]
    rows: list[MailRow]


class MailView(msgspec.Struct, frozen=True, kw_only=True):
    """One mail in one language. `languages`: label, address, whether it is this one."""

    tabs: list[Tab]
    base: str
    here: str
    title: str
    occasion: str
    language: str
    languages: list[Tab]
    is_own: bool
    placeholders: list[tuple[str, str]]
    form: Any


@get(HOME, guards=MAY_SET, include_in_schema=False)
async def show_mails(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        wordings = await find_wordings(uow)
    rows = [
        MailRow(
            title=_(kind.title),
            occasion=_(kind.occasion),
            href=settings_path(ctx, f"mails/{kind.key}"),
            languages=[_name(locale) for key, locale in wordings.by_mail if key == kind.key],
        )
        for kind in mail_kinds()
    ]
    view = MailsView(tabs=settings_tabs(ctx, "mails"), rows=rows)
    return page(request, "tenants/settings/mails.html", view)


@get(ONE, guards=MAY_SET, include_in_schema=False)
async def show_mail(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    kind: FromPath[str],
) -> Response[bytes]:
    """In the language of `language`, else in the business's own."""
    language = _language(ctx, request.query_params.get("language", ""))
    return await _editor(request, services, ctx, get_mail_kind(kind), language)


@post(ONE, guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_mail(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    kind: FromPath[str],
) -> Response[bytes]:
    form, mail_kind = bind(WordingForm, await read_form(request)), get_mail_kind(kind)
    typed = form.struct
    if typed is None:
        language = _language(ctx, "")
        return await _editor(request, services, ctx, mail_kind, language, form)
    language = _language(ctx, typed.language)
    spared = None if typed.as_they_are else _proposal(mail_kind)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            is_saved = await word_mail(uow, ctx, kind, language, _wording(typed), spared)
    except InvalidInput as refusal:
        refused = form.refused(refusal)
        return await _editor(request, services, ctx, mail_kind, language, refused)
    if is_saved:
        text = _("Your words for “%(name)s” are saved.", name=_(mail_kind.title))
        flash(request, "success", text)
    else:
        text = _("You changed nothing, so guests go on getting the standard mail.")
        flash(request, "info", text)
    return redirect(request, settings_path(ctx, f"mails/{kind}?language={language}"))


@post(ONE + "/reset", guards=MAY_SET, status_code=200, include_in_schema=False)
async def reset_words(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    kind: FromPath[str],
) -> Response[bytes]:
    """The shipped mail again, in one language."""
    language = _language(ctx, (await read_form(request)).texts.get("language", [""])[-1])
    async with services.uow_factory(ctx.here.id) as uow:
        await reset_mail(uow, ctx, kind, language)
    flash(request, "success", _("Guests get the standard mail again."))
    return redirect(request, settings_path(ctx, f"mails/{kind}?language={language}"))


@post(ONE + "/preview", guards=MAY_SET, status_code=200, include_in_schema=False, shown_at=ONE)
async def preview_mail(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    kind: FromPath[str],
) -> Response[bytes]:
    """The mail itself with the typed words and the latest booking, as HTML or `as` text; with
    `as` standard the shipped one.
    """
    data = await read_form(request)
    form, mail_kind = bind(WordingForm, data), get_mail_kind(kind)
    typed = form.struct or WordingForm()
    language, shown_as = _language(ctx, typed.language), data.texts.get("as", [""])[-1]
    wordings = SHIPPED
    if shown_as != "standard":
        try:
            check_wording(mail_kind, _wording(typed))
        except InvalidInput as refusal:
            refused = form.refused(refusal)
            return await _editor(request, services, ctx, mail_kind, language, refused)
        wordings = Wordings({(kind, language): _wording(typed)})
    asked = Preview(
        settings=services.settings,
        tenant=ctx.here,
        locale=_locale(ctx, language),
        wordings=wordings,
    )
    async with services.uow_factory(ctx.here.id) as uow:
        mail = await mail_kind.preview(uow, asked)
    return as_it_is_read(mail, as_text=shown_as == "text")


def as_it_is_read(mail: Mail, *, as_text: bool) -> Response[bytes]:
    """The mail alone, for a window of its own."""
    headers = {"content-security-policy": MAIL_POLICY, "cache-control": "no-store"}
    if as_text:
        text = f"{_('Subject')}: {mail.one_line}\n\n{mail.text}"
        kind = "text/plain; charset=utf-8"
        return Response(text.encode(), media_type=kind, headers=headers)
    kind = "text/html; charset=utf-8"
    html = _BODY.sub(lambda found: found[0] + _subject_line(mail), mail.html, count=1)
    return Response(html.encode(), media_type=kind, headers=headers)


def _subject_line(mail: Mail) -> str:
    """Above the mail, as a mail program has it."""
    line = '<p style="margin:0;padding:12px 24px;font:16px sans-serif">{}: <b>{}</b></p>'
    return line.format(escape(_("Subject")), escape(mail.one_line))


def _wording(typed: WordingForm) -> Wording:
    return Wording(subject=typed.subject, body=typed.body)


def _proposal(kind: MailKind) -> Wording:
    """The words that are put into the form to begin with."""
    return Wording(subject=_(kind.starter_subject), body=_(kind.starter))


def _language(ctx: RequestContext, wanted: str) -> str:
    """One of the languages that guests may read; else the business's own."""
    return wanted if wanted in _languages(ctx) else language_of(ctx.here.locale)


def _languages(ctx: RequestContext) -> list[str]:
    """The business's own first."""
    return list(dict.fromkeys(map(language_of, (ctx.here.locale, *available_locales()))))


def _locale(ctx: RequestContext, language: str) -> str:
    """How dates and money are written in the preview: as at home, if that is the language."""
    return ctx.here.locale if language_of(ctx.here.locale) == language else language


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    kind: MailKind,
    language: str,
    form: Bound[WordingForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        own = (await find_wordings(uow)).by_mail.get((kind.key, language))
    shown = own or _proposal(kind)
    here = settings_path(ctx, f"mails/{kind.key}")
    present = {"language": language, "subject": shown.subject, "body": shown.body}
    view = MailView(
        tabs=settings_tabs(ctx, "mails"),
        base=settings_path(ctx, "mails"),
        here=here,
        title=_(kind.title),
        occasion=_(kind.occasion),
        language=language,
        languages=[
            (_name(one), f"{here}?language={one}", one == language) for one in _languages(ctx)
        ],
        is_own=own is not None,
        placeholders=[(f"{{{one.name}}}", _(one.label)) for one in kind.placeholders],
        form=form or blank(WordingForm, present),
    )
    status_code = 200 if form is None else 422
    again_with = [("language", language)]
    return page(
        request, "tenants/settings/mail.html", view, status_code=status_code, again_with=again_with
    )


def _name(locale: str) -> str:
    shown = str(babel_locale(locale).get_display_name(babel_locale(locale)) or locale)
    return shown[:1].upper() + shown[1:]


route_handlers = [show_mails, show_mail, save_mail, reset_words, preview_mail]
