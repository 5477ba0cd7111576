"""A person with a browser that knows no JavaScript: follows links, fills in forms as they stand."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from httpx import AsyncClient, Response

# Of a page, what its forms are made of: most of a parser's time goes into all the rest. What stands
# in a comment or a script is no part of a form, whatever it looks like.
_OF_FORMS = re.compile(
    r"""<!--.*?-->
    | <(script|style)\b.*?</\1\s*>
    | (?P<kept>
        <textarea\b.*?</textarea\s*>
        | </?(?:form|select)\b(?:[^>"']|"[^"]*"|'[^']*')*>
        | <(?:input|button|option(?=[^>]*\sselected))\b(?:[^>"']|"[^"]*"|'[^']*')*>
    )""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


@dataclass
class Form:
    """A form as the page sent it, with the values that would be sent untouched."""

    action: str
    method: str = "get"
    fields: dict[str, list[str]] = field(default_factory=dict)

    def filled(self, values: dict[str, Any]) -> dict[str, list[str]]:
        typed = {
            name: [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
            for name, value in values.items()
        }
        return {**self.fields, **typed}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.others: list[tuple[Form, str]] = []
        self._open: Form | None = None
        self._select: str | None = None
        self._textarea: str | None = None
        self._ahead: dict[str, list[tuple[str, str]]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
            for name, value in self._ahead.pop(given.get("id", ""), []):
                self._open.fields.setdefault(name, []).append(value)
        elif tag == "input" and "form" in given:
            self._elsewhere(given)
        elif self._open is not None:
            self._control(tag, given)
            if tag == "button" and "formaction" in given:
                self.others.append((self._open, given["formaction"]))

    def _elsewhere(self, given: dict[str, str]) -> None:
        """An input outside of its form, which it names by id; here they stand before it."""
        if given.get("name") and self._counts(given):
            ahead = self._ahead.setdefault(given["form"], [])
            ahead.append((given["name"], given.get("value", "on")))

    def _control(self, tag: str, given: dict[str, str]) -> None:
        assert self._open is not None
        name = given.get("name", "")
        if tag == "input" and name and self._counts(given):
            self._open.fields.setdefault(name, []).append(given.get("value", "on"))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._open.fields.setdefault(self._select, []).append(given.get("value", ""))
        elif tag == "textarea" and name:
            self._textarea = name
            self._open.fields[name] = [""]

    @staticmethod
    def _counts(given: dict[str, str]) -> bool:
        kind = given.get("type", "text")
        if kind in {"checkbox", "radio"}:
            return "checked" in given
        return kind not in {"submit", "button", "file"}

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._textarea:
            self._open.fields[self._textarea][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None


def forms_of(page: Response) -> list[Form]:
    """The page's forms, before them those that a button sends elsewhere."""
    parser = _Forms()
    parser.feed("".join(found["kept"] or "" for found in _OF_FORMS.finditer(page.text)))
    return [Form(to, form.method, form.fields) for form, to in parser.others] + parser.forms


def as_read(text: str) -> str:
    """A page's text without the places where an address may break, which nobody sees."""
    return text.replace("<wbr>", "")


class Visitor:
    """Goes from page to page. A redirect is followed, as browsers do."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.page: Response | None = None

    async def open(self, path: str, status: int = 200) -> Response:
        self.page = await self.client.get(path, follow_redirects=True)
        assert self.page.status_code == status, (self.page.status_code, self.page.text[:2000])
        return self.page

    async def submit(
        self,
        values: dict[str, Any] | None = None,
        *,
        to: str | None = None,
        status: int = 200,
        files: dict[str, tuple[str, bytes, str]] | None = None,
    ) -> Response:
        """Sends the page's form whose action ends with `to`, or its only or last one.

        `files`: by field, each as its name, its content and its type.
        """
        assert self.page is not None
        posting = [form for form in forms_of(self.page) if form.method == "post"]
        chosen = [f for f in posting if to is None or (f.action or self._here()).endswith(to)]
        assert chosen, f"no form to {to} among {[form.action for form in posting]}"
        form = chosen[-1]
        target = str(self.page.url.join(form.action or str(self.page.url)))
        self.page = await self.client.post(
            target, data=form.filled(values or {}), files=files, follow_redirects=True
        )
        assert self.page.status_code == status, (self.page.status_code, self.page.text[:2000])
        return self.page

    async def sign_in(self, email: str, password: str) -> Response:
        await self.open("/sign-in")
        return await self.submit({"email": email, "password": password})

    def _here(self) -> str:
        assert self.page is not None
        return self.page.url.path

    @property
    def path(self) -> str:
        return self._here()

    @property
    def text(self) -> str:
        assert self.page is not None
        return as_read(self.page.text)
