"""One's own account: who one is here, password, second factor, tokens, sessions."""

from __future__ import annotations

from markupsafe import Markup

from engine.access.passwords import SHORTEST
from engine.access.role import Permission
from engine.console.account import MOST_DAYS, AccountFile
from engine.console.look import Look
from engine.console.markup import Content, tag
from engine.console.qr import qr
from engine.console.views import pieces
from engine.console.views.credentials import sessions, tokens_table
from engine.console.views.forms import Form, secret
from engine.console.views.pieces import card, icon, name, pill
from engine.console.views.users import limits, role_pill
from engine.store.accounts import User


def head(look: Look) -> Markup:
    file = look.loaded if isinstance(look.loaded, AccountFile) else None
    user = file.user if file else None
    soft = [name(user.name), role_pill(look, user)] if user is not None else None
    return pieces.head(look, look.say("page.account"), soft=soft)


def body(look: Look) -> Markup:
    say, file = look.say, look.loaded
    if not isinstance(file, AccountFile):
        return tag("section", tag("p", say("loading"), class_="calm soft"), class_="card", aria_busy="true")
    if file.user is None:
        return tag("section", pieces.empty(say, "account.none"), class_="card")
    left = [
        _second(look, file, file.user),
        _tokens(look, file) if look.who.may(Permission.MAKE_TOKENS) else None,
    ]
    right = [
        _rights(look, file.user),
        _password(look, file, file.user),
        sessions(look, file.sessions, file.user.name),
    ]
    return tag(
        "div",
        tag("div", left, class_="sections"),
        tag("div", right, class_="sections"),
        class_="halves wide-first",
    )


def _rights(look: Look, user: User) -> Markup:
    say = look.say
    pairs: list[tuple[str, Content]] = [
        (
            say("user.role"),
            [role_pill(look, user), " ", tag("span", say(f"role.{user.role}.more"), class_="soft small")],
        ),
        (say("user.markets"), limits(look, user.markets)),
        (say("user.teams"), limits(look, user.teams)),
    ]
    return card(say("account.rights"), pieces.facts(pairs), key="rights")


def _password(look: Look, file: AccountFile, user: User) -> Markup:
    say = look.say
    if user.subject is not None:
        return card(say("user.password"), tag("p", say("user.vouched.more"), class_="soft"), key="password")
    form = Form(say, "password", file.faults_of("password"))
    fields = [
        form.secret("old", say("account.password.old"), "current-password", required=True),
        form.secret(
            "new",
            say("account.password.new"),
            "new-password",
            say("account.password.more", n=SHORTEST),
            required=True,
        ),
        form.secret("again", say("account.password.again"), "new-password", required=True),
    ]
    button = tag("button", say("account.password.change"), type="submit", class_="first")
    inner = tag(
        "form",
        tag("div", fields, class_="form-fields one"),
        tag("p", say("account.password.ends"), class_="soft small"),
        tag("div", button, class_="row end"),
        data_do="change_own_password",
        class_="sheet",
    )
    return card(say("user.password"), inner, key="password")


# --- the second factor -----------------------------------------------------------------------------


def _second(look: Look, file: AccountFile, user: User) -> Markup:
    say = look.say
    on = (
        pill([icon("good"), say("user.totp.on")], "good")
        if user.totp_on
        else pill(say("account.totp.is_off"), "warn")
    )
    if user.subject is not None:
        inner: Content = tag("p", say("user.vouched.more"), class_="soft")
    elif file.codes:
        inner = _codes(look, file)
    elif file.enrolment is not None and not user.totp_on:
        inner = _scan(look, file)
    elif user.totp_on:
        inner = _on(look, file)
    else:
        inner = _begin(look, file)
    return card(say("user.second"), inner, more=on, key="second")


def _begin(look: Look, file: AccountFile) -> Markup:
    say = look.say
    form = Form(say, "enrol", file.faults_of("enrol"))
    field = form.secret("password", say("account.totp.password"), "current-password", required=True)
    button = tag("button", say("account.totp.begin"), type="submit", class_="first")
    words = tag("p", say("account.totp.about"), class_="soft")
    return tag(
        "form", words, tag("div", field, button, class_="beside"), data_do="enrol_totp", class_="sheet"
    )


def _scan(look: Look, file: AccountFile) -> Markup:
    """The code to be scanned, the same as letters, and the first code of the app."""
    say, enrolment = look.say, file.enrolment
    assert enrolment is not None
    form = Form(say, "confirm", file.faults_of("confirm"))
    letters = " ".join(enrolment.secret[at : at + 4] for at in range(0, len(enrolment.secret), 4))
    code = form.text(
        "code", say("account.totp.code"), required=True, autocomplete="one-time-code", inputmode="numeric",
        maxlength=8, dir="ltr", class_="code-box",
    )  # fmt: skip
    steps = tag(
        "ol",
        tag("li", say("account.totp.step.scan")),
        tag("li", say("account.totp.step.type"), " ", tag("code", letters, dir="ltr", class_="letters")),
        tag("li", say("account.totp.step.code")),
        class_="told-steps",
    )
    button = tag("button", say("account.totp.confirm"), type="submit", class_="first")
    inner = tag("form", tag("div", code, button, class_="beside"), data_do="confirm_totp")
    return tag("div", qr(enrolment.uri, say("account.totp.qr")), tag("div", steps, inner), class_="scan")


def _codes(look: Look, file: AccountFile) -> Markup:
    """Codes for when the phone is lost, this once."""
    say = look.say
    shown = tag(
        "ul", [tag("li", tag("code", each, dir="ltr")) for each in file.codes], id="codes", class_="codes"
    )
    copy = tag("button", say("copy"), type="button", data_here="copy", data_copies="codes")
    return tag(
        "div",
        tag("p", say("account.codes.on"), class_="strong"),
        tag("p", say("account.codes.about"), class_="soft"),
        shown,
        tag("div", copy, class_="row"),
        class_="stack-s",
    )


def _on(look: Look, file: AccountFile) -> Markup:
    say = look.say
    form = Form(say, "give-up", file.faults_of("give_up"))
    code = form.text(
        "code",
        say("account.totp.give_up.code"),
        required=True,
        autocomplete="one-time-code",
        maxlength=16,
        dir="ltr",
    )
    button = tag("button", say("account.totp.give_up"), type="submit", class_="danger")
    words = tag("p", say("account.totp.is_on"), class_="soft")
    more = tag("p", say("account.totp.ends"), class_="soft small")
    return tag(
        "form", words, tag("div", code, button, class_="beside"), more, data_do="give_up_totp", class_="sheet"
    )


# --- tokens ----------------------------------------------------------------------------------------


def _tokens(look: Look, file: AccountFile) -> Markup:
    say = look.say
    form = Form(say, "mint", file.faults_of("mint"), file.given_in("mint"))
    scopes = [
        (str(each), [tag("code", each), tag("span", say(f"scope.{each}"), class_="soft small")])
        for each in file.scopes
    ]
    limits_: list[Markup] = []
    for each, there, held in (
        ("markets", file.markets, look.who.markets),
        ("teams", file.teams, look.who.teams),
    ):
        if there:
            options = [(one, name(one)) for one in there]
            limits_.append(
                form.several(each, say(f"user.{each}"), options, held, more=say(f"token.{each}.more"))
            )
    fields = [
        form.text(
            "name",
            say("token.name"),
            more=say("token.name.more"),
            maxlength=64,
            required=True,
            autocomplete="off",
        ),
        form.text(
            "days",
            say("token.days"),
            "90",
            more=say("token.days.more", n=MOST_DAYS),
            maxlength=3,
            inputmode="numeric",
            dir="ltr",
        ),
        form.several(
            "scopes", say("token.scopes"), scopes, ("board", "calls"), more=say("token.scopes.more")
        ),
        *limits_,
    ]
    button = tag("button", say("token.make"), type="submit", class_="first")
    made = tag(
        "form",
        tag("div", fields, class_="form-fields"),
        tag("div", button, class_="row end"),
        data_do="create_token",
        class_="sheet",
        data_key=f"mint-{len(file.tokens)}",
        novalidate=True,
    )
    shown = secret(file.secret, say("token.once"), say("copy")) if file.secret else None
    listed: Content = (
        tokens_table(look, file.tokens, True) if file.tokens else pieces.empty(say, "token.none")
    )
    opening = tag(
        "details",
        tag("summary", tag("h3", [icon("add"), say("token.new")])),
        made,
        class_="opening",
        open=bool(file.faults_of("mint")),
    )
    return card(say("token.title"), shown, listed, opening, key="tokens")


PARTS = {"head": head, "body": body}
