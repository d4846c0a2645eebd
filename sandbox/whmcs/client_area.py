"""The pages a customer's browser sees at WHMCS: single sign-on, cards, invoices and their payment."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from sandbox.faults import VendorBroken, VendorDown, VendorFailed
from sandbox.store import Document
from sandbox.whmcs.billing import capture
from sandbox.whmcs.installation import Installation
from sandbox.whmcs.invoices import balance_of, is_overdue
from sandbox.whmcs.money import formatted
from sandbox.whmcs.pay_methods import (
    DECLINING_CARD,
    REFUSED_CARD,
    CardRefused,
    make_default,
    remove,
    store_card,
    stored,
)
from sandbox.whmcs.people import clients_of
from sandbox.whmcs.php import integer
from sandbox.whmcs.sso import redeem

COOKIE = "whmcs_sandbox"
_TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
_MAINTENANCE = "Down for maintenance. Please try again later."
_TEST_CARDS = (
    ("4242424242424242", "is stored and pays"),
    (DECLINING_CARD, "is stored, but every payment fails"),
    (REFUSED_CARD, "is not accepted"),
)
_TEMPLATES.filters["yen"] = formatted


class ClientArea:
    """Serve the client area. Every page but the sign-on needs the session that a token opened."""

    def __init__(self, whmcs: Installation) -> None:
        self._whmcs = whmcs

    async def sign_on(self, http: HttpRequest) -> Response:
        """Redeem an SSO token, open a session and go on to its destination."""
        if await self._is_down():
            return self._page("error.html", 503, message=_MAINTENANCE)
        found = redeem(self._whmcs, http.query_params.get("access_token", ""))
        if found is None:
            return self._page("error.html", 403, message="This sign-on link has expired or was already used.")
        session = secrets.token_urlsafe(32)
        user = self._whmcs.row("user", found["user_id"]) or {"id": 0}
        client_id = found["client_id"] or next((row["id"] for row in clients_of(self._whmcs, user)), 0)
        party = {"client_id": client_id, "user_id": found["user_id"], "token": secrets.token_hex(16)}
        self._whmcs.store.put("whmcs.session", session, party)
        answer = RedirectResponse(f"/whmcs/{found['target']}", 303)
        answer.set_cookie(COOKIE, session, httponly=True, samesite="lax", path="/whmcs")
        return answer

    def guarded(self, serve: Callable[..., Response]) -> Callable[..., object]:
        """Wrap a page: needs a session, form posts need its token, a vendor that is down shows so."""

        async def guarded_page(http: HttpRequest) -> Response:
            if await self._is_down():
                return self._page("error.html", 503, message=_MAINTENANCE)
            session = self._whmcs.store.get("whmcs.session", http.cookies.get(COOKIE, ""))
            client = self._whmcs.row("client", session["client_id"]) if session else None
            if session is None or client is None:
                return self._page(
                    "error.html", 403, message="You are not signed in. Please come in through the portal."
                )
            form = {name: str(value) for name, value in (await http.form()).items()} if http.method == "POST" else {}
            if http.method == "POST" and not _same(form.get("token", ""), session["token"]):
                return self._page("error.html", 403, message="Invalid CSRF Protection Token")
            with self._whmcs.store.transaction():
                return serve(http, client | {"token": session["token"]}, form)

        return guarded_page

    def home(self, http: HttpRequest, client: Document, form: dict[str, str]) -> Response:
        """Show the client's unpaid invoices and services."""
        invoices = [self._invoice_shown(row) for row in self._whmcs.rows("invoice", userid=client["id"])][::-1]
        services = [
            row | {"name": (self._whmcs.row("product", row["pid"]) or {"name": ""})["name"]}
            for row in self._whmcs.rows("service", clientid=client["id"])
        ]
        return self._page("home.html", client=client, invoices=invoices, services=services, back=self._back(http))

    def cards(self, http: HttpRequest, client: Document, form: dict[str, str]) -> Response:
        """List the stored cards and offer the form for a new one."""
        if http.method == "POST":
            return self._add_card(http, client, form)
        return self._cards_page(http, client)

    def remove_card(self, http: HttpRequest, client: Document, form: dict[str, str]) -> Response:
        """Delete one of the client's own cards."""
        row = self._whmcs.row("paymethod", integer(form.get("id", "")))
        if row and row["clientid"] == client["id"]:
            remove(self._whmcs, row)
        return RedirectResponse(_cards_address(http), 303)

    def default_card(self, http: HttpRequest, client: Document, form: dict[str, str]) -> Response:
        """Make one of the client's own cards the one that is charged."""
        row = self._whmcs.row("paymethod", integer(form.get("id", "")))
        if row and row["clientid"] == client["id"]:
            make_default(self._whmcs, row)
            self._whmcs.hook("CCUpdate", client_id=client["id"])
        return RedirectResponse(_cards_address(http), 303)

    def invoice(self, http: HttpRequest, client: Document, form: dict[str, str]) -> Response:
        """Show one of the client's own invoices, and pay it on POST."""
        row = self._own_invoice(http, client)
        if row is None:
            return self._page("error.html", 404, message="Invoice not found.")
        if http.method == "POST":
            return self._pay(http, row, form)
        cards = [card for card in stored(self._whmcs, client["id"]) if "card_last_four" in card]
        return self._page(
            "invoice.html", client=client, invoice=self._invoice_shown(row), cards=cards, back=self._back(http),
            payments=self._whmcs.rows("transaction", invoiceid=row["id"]), outcome=_outcome(http),
            add_card=_cards_address(http),
        )  # fmt: skip

    def download(self, http: HttpRequest, client: Document, form: dict[str, str]) -> Response:
        """Answer the invoice as a small PDF."""
        row = self._own_invoice(http, client) if http.query_params.get("type") == "i" else None
        if row is None:
            return PlainTextResponse("Invoice not found.", 404)
        shown = self._invoice_shown(row)
        lines = [f"Invoice #{row['id']}", f"Date {row['date']}  Due {row['duedate']}  {row['status']}", ""]
        lines += [f"{item['description']}   {item['amount'] // 100} JPY" for item in row["items"]]
        lines += ["", f"Tax {shown['tax'] // 100} JPY", f"Total {shown['total'] // 100} JPY"]
        name = f'attachment; filename="Invoice-{row["id"]}.pdf"'
        return Response(_pdf(lines), media_type="application/pdf", headers={"Content-Disposition": name})

    async def _is_down(self) -> bool:
        try:
            await self._whmcs.faults.before("whmcs", "ClientArea")
        except (VendorDown, VendorFailed, VendorBroken):
            return True
        return False

    def _add_card(self, http: HttpRequest, client: Document, form: dict[str, str]) -> Response:
        expiry = re.sub(r"[^0-9]", "", form.get("expiry", ""))
        try:
            store_card(
                self._whmcs, client["id"], form.get("number", ""), expiry, description=form.get("description", "")
            )  # fmt: skip
        except CardRefused as error:
            return self._cards_page(http, client, error=str(error), typed=form)
        return RedirectResponse(_cards_address(http, added="true"), 303)

    def _cards_page(self, http: HttpRequest, client: Document, error: str = "", typed: object = None) -> Response:
        cards = [card for card in stored(self._whmcs, client["id"]) if "card_last_four" in card]
        year = self._whmcs.today().year % 100 + 3
        return self._page(
            "cards.html", 422 if error else 200, client=client, cards=cards, error=error, typed=typed or {},
            added=http.query_params.get("added"), back=self._back(http), test_cards=_TEST_CARDS,
            example=f"12/{year:02}", query=http.url.query, home=_cards_address(http),
        )  # fmt: skip

    def _pay(self, http: HttpRequest, invoice: Document, form: dict[str, str]) -> Response:
        card = integer(form.get("card", "")) or None
        paid = invoice["status"] == "Unpaid" and capture(self._whmcs, invoice, card)
        query = {"id": invoice["id"], "paymentsuccess" if paid else "paymentfailed": "true"}
        if http.query_params.get("return"):
            query["return"] = http.query_params["return"]
        return RedirectResponse(f"/whmcs/viewinvoice.php?{urlencode(query)}", 303)

    def _own_invoice(self, http: HttpRequest, client: Document) -> Document | None:
        row = self._whmcs.row("invoice", integer(http.query_params.get("id", "")))
        return row if row and row["userid"] == client["id"] and row["status"] != "Draft" else None

    def _invoice_shown(self, invoice: Document) -> Document:
        owed = balance_of(self._whmcs, invoice)
        amounts = {"subtotal": owed.subtotal, "tax": owed.tax, "total": owed.total, "balance": owed.balance}
        return invoice | amounts | {"lines": invoice["items"], "overdue": is_overdue(self._whmcs, invoice)}

    def _back(self, http: HttpRequest) -> str:
        """Return the address behind "Return to the portal": only the portal's own origin is followed."""
        portal = self._whmcs.settings.portal_url
        wanted, own = urlsplit(http.query_params.get("return", "")), urlsplit(portal)
        same = (wanted.scheme, wanted.netloc) == (own.scheme, own.netloc)
        return wanted.geturl() if same and wanted.geturl().startswith(portal) else portal

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        values = {"client": None, "back": self._whmcs.settings.portal_url} | values
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": "frame-ancestors 'none'"}
        return HTMLResponse(_TEMPLATES.get_template(template).render(**values), status, headers=headers)


def _cards_address(http: HttpRequest, **extra: str) -> str:
    kept = {"return": http.query_params["return"]} if http.query_params.get("return") else {}
    query = urlencode(kept | extra, quote_via=quote)
    return "/whmcs/index.php/account/paymentmethods" + (f"?{query}" if query else "")


def _same(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode(), wanted.encode())


def _outcome(http: HttpRequest) -> str:
    return next((word for word in ("paymentsuccess", "paymentfailed") if http.query_params.get(word)), "")


def _pdf(lines: list[str]) -> bytes:
    """Write one page of plain Latin text as a minimal PDF."""
    safe = [re.sub(r"([\\()])", r"\\\1", line).encode("latin-1", "replace") for line in lines]
    text = b"BT /F1 12 Tf 50 780 Td 18 TL " + b" ".join(b"(" + line + b") Tj T*" for line in safe) + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return out + end % (table, len(out))
