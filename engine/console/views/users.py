"""Users: who may sign in, as what, and limited to what; making them, changing them, shutting them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from engine.access.role import Role, outranks
from engine.console.look import Look, address
from engine.console.markup import Content, tag
from engine.console.roster import UsersFile
from engine.console.views import pieces
from engine.console.views.credentials import sessions, tokens_table
from engine.console.views.forms import Form, secret
from engine.console.views.pieces import card, cell, confirm, icon, link, moment, name, pill, row
from engine.store.accounts import ApiKey, User

ROLES: dict[Role, str] = {Role.ADMIN: "brand"}  # who may all of it


def file_of(look: Look) -> UsersFile | None:
    return look.loaded if isinstance(look.loaded, UsersFile) else None


def head(look: Look) -> Markup:
    say, place, file = look.say, look.place, file_of(look)
    if place.id:
        user = file.user if file else None
        soft: Content = None
        if user is not None:
            soft = [
                role_pill(look, user),
                _standing(look, user),
                name(user.display) if user.display else None,
            ]
        return pieces.head(look, place.id, back=address("users"), soft=soft)
    if place.get("new"):
        return pieces.head(look, say("user.new"), back=address("users"))
    add = None
    if file is not None and file.kept:
        add = link([icon("add"), say("user.new")], address("users", new="1"), class_="button first")
    return pieces.head(look, say("page.users"), add, soft=say("users.about"))


def body(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    if file is None:
        return tag("section", tag("p", say("loading"), class_="calm soft"), class_="card", aria_busy="true")
    if not file.kept:
        return tag("section", pieces.empty(say, "users.none"), class_="card")
    if look.place.id:
        return _one(look, file)
    return _new(look, file) if look.place.get("new") else _all(look, file)


def role_pill(look: Look, user: User) -> Markup:
    return pill(look.say(f"role.{user.role}"), ROLES.get(user.role, "soft"))


def _standing(look: Look, user: User) -> Markup | None:
    if user.disabled:
        return pill([icon("close"), look.say("user.disabled")], "bad")
    return None


# --- all -------------------------------------------------------------------------------------------


def _all(look: Look, file: UsersFile) -> Markup:
    say = look.say
    if not file.users:
        return tag("section", pieces.empty(say, "users.empty"), class_="card")
    heads = [
        (say("user.name"), ""),
        (say("user.role"), ""),
        (say("user.markets"), ""),
        (say("user.teams"), ""),
        (say("user.second"), ""),
        (say("user.changed_at"), ""),
    ]
    rows = [_row(look, each) for each in file.users]
    return tag("section", pieces.table(heads, rows, label=say("page.users")), class_="card first-table")


def _row(look: Look, user: User) -> Markup:
    say = look.say
    below = tag("span", name(user.display), class_="soft below") if user.display else None
    second = (
        pill([icon("good"), say("user.totp.on")], "good") if user.totp_on else tag("span", "–", class_="soft")
    )
    if user.subject is not None:
        second = pill(say("user.vouched"), "busy")
    return row(
        user.name,
        cell([link(name(user.name), address("users", user.name), class_="strong"), below]),
        cell([role_pill(look, user), " ", _standing(look, user)]),
        cell(limits(look, user.markets)),
        cell(limits(look, user.teams)),
        cell(second),
        cell(moment(user.changed_at, "day")),
        to="user",
        class_="off" if user.disabled else "",
    )


def limits(look: Look, some: Sequence[str]) -> Markup:
    if not some:
        return tag("span", look.say("user.all"), class_="soft")
    return tag("span", [pill(name(each)) for each in some], class_="row tight")


# --- one that is made ------------------------------------------------------------------------------


def _new(look: Look, file: UsersFile) -> Markup:
    say = look.say
    if file.whose and not file.faults:
        return _made(look, file)
    form = Form(say, "new", file.faults, file.given)
    fields = [
        form.text(
            "name", say("user.name"), more=say("user.name.more"), required=True, maxlength=64, dir="ltr",
            autocomplete="off", spellcheck="false",
        ),
        form.text("display", say("user.display"), more=say("user.display.more"), maxlength=256),
        form.choice("role", say("user.role"), roles(look), str(Role.SUPERVISOR), more=say("user.role.more")),
        form.secret("password", say("user.password"), "new-password", say("user.password.more")),
        *_limits(look, form, file, (), ()),
    ]  # fmt: skip
    buttons = [
        link(say("cancel"), address("users"), class_="button"),
        tag("button", say("user.make"), type="submit", class_="first"),
    ]
    made = tag(
        "form",
        tag("div", fields, class_="form-fields"),
        tag("div", buttons, class_="row end"),
        data_do="create_user",
        class_="sheet",
        novalidate=True,
    )
    beside = card(
        say("user.roles"), tag("dl", [_role_words(look, each) for each in Role], class_="roles"), key="roles"
    )
    return tag("div", card(say("user.who"), made, key="new"), beside, class_="halves wide-first")


def _role_words(look: Look, role: Role) -> list[Markup]:
    return [
        tag("dt", pill(look.say(f"role.{role}"), ROLES.get(role, "soft"))),
        tag("dd", look.say(f"role.{role}.more")),
    ]


def roles(look: Look) -> list[tuple[str, str]]:
    """Those that are hers to give."""
    return [(str(each), look.say(f"role.{each}")) for each in Role if not outranks(look.who.rights, each)]


def _limits(
    look: Look, form: Form, file: UsersFile, markets: Iterable[str], teams: Iterable[str]
) -> list[Markup]:
    found = []
    for each, there, held in (("markets", file.markets, tuple(markets)), ("teams", file.teams, tuple(teams))):
        options = [(one, name(one)) for one in dict.fromkeys([*there, *held])]
        more = look.say(f"user.{each}.more") if options else look.say(f"user.{each}.none")
        found.append(form.several(each, look.say(f"user.{each}"), options, held, more=more))
    return found


def _made(look: Look, file: UsersFile) -> Markup:
    say = look.say
    told: Content = tag("p", say("user.made.own"))
    if file.secret:
        told = [
            secret(file.secret, say("user.password.once"), say("copy")),
            tag("p", say("user.password.hand"), class_="soft"),
        ]
    onward = [
        link(say("users.back"), address("users"), class_="button"),
        link(say("user.open", name=file.whose), address("users", file.whose), class_="button first"),
    ]
    title = say("user.made", name=file.whose)
    return card(
        title,
        tag("div", told, class_="stack-s"),
        tag("div", onward, class_="row end"),
        key="made",
        class_="narrow-card",
    )


# --- one that is there -----------------------------------------------------------------------------


def _one(look: Look, file: UsersFile) -> Markup:
    say, user = look.say, file.user
    if user is None:
        return tag("section", pieces.empty(say, "user.unknown"), class_="card")
    mine = user.name == look.who.name
    may = not outranks(look.who.rights, user.role)
    left = [_edit(look, file, user, mine) if may else _beyond(look, user), _tokens(look, file.tokens, may)]
    right = [
        _sign_in(look, file, user) if may and not mine else _oneself(look) if mine else None,
        sessions(look, file.sessions, user.name) if may else None,
    ]
    return tag(
        "div",
        tag("div", left, class_="sections"),
        tag("div", right, class_="sections"),
        class_="halves wide-first",
    )


def _beyond(look: Look, user: User) -> Markup:
    """Whose role may more than she who looks."""
    say = look.say
    pairs = [
        (say("user.role"), role_pill(look, user)),
        (say("user.markets"), limits(look, user.markets)),
        (say("user.teams"), limits(look, user.teams)),
    ]
    return card(say("user.who"), tag("p", say("user.beyond"), class_="soft"), pieces.facts(pairs), key="who")


def _edit(look: Look, file: UsersFile, user: User, mine: bool) -> Markup:
    say = look.say
    form = Form(say, "edit", file.faults, file.given)
    fields: list[Content] = [
        form.text("display", say("user.display"), user.display, more=say("user.display.more"), maxlength=256)
    ]
    notice: Content = None
    if mine or user.subject is not None:
        key = "user.own" if mine else "user.vouched.more"
        notice = tag("p", say(key), class_="notice soft-notice")
        pairs = [
            (say("user.role"), role_pill(look, user)),
            (say("user.markets"), limits(look, user.markets)),
            (say("user.teams"), limits(look, user.teams)),
        ]
        fields.append(tag("div", pieces.facts(pairs), class_="wide"))
    if not mine:
        fields.append(
            form.choice("role", say("user.role"), roles(look), str(user.role), more=say("user.role.more"))
        )
        fields += _limits(look, form, file, user.markets, user.teams)
    kept = tag("input", type="hidden", name="version", value=user.version)
    save = tag("button", say("save"), type="submit", class_="first")
    inner = tag(
        "form",
        notice,
        tag("div", fields, class_="form-fields"),
        kept,
        tag(
            "div",
            tag(
                "span",
                [say("user.changed_at"), " ", moment(user.changed_at, "day")],
                class_="soft small grow",
            ),
            save,
            class_="row end",
        ),
        data_do="change_user",
        class_="sheet",
        data_key=f"edit-{user.version}",
        novalidate=True,
    )
    return card(say("user.who"), inner, key="edit")


def _oneself(look: Look) -> Markup:
    say = look.say
    go = link([icon("key"), say("page.account")], address("account"), class_="button first")
    return card(
        say("user.you"),
        tag("p", say("user.you.more"), class_="soft"),
        tag("div", go, class_="row"),
        key="you",
    )


def _sign_in(look: Look, file: UsersFile, user: User) -> Markup:
    """Whether she gets in, by what, and what an administrator does when she does not."""
    say = look.say
    rows: list[Content] = []
    if file.secret and file.whose == user.name:
        rows.append(secret(file.secret, say("user.password.once"), say("copy")))
    if user.subject is None:
        sure = tag(
            "button",
            say("user.reset"),
            type="button",
            data_do="reset_password",
            data_closes=True,
            class_="stop",
        )
        button = tag("button", say("user.reset"), type="button", data_opens="reset")
        rows.append(_line(say("user.password"), say("user.reset.about"), button))
        rows.append(confirm("reset", say, "user.reset.sure", sure, name=user.name))
    if user.totp_on:
        sure = tag(
            "button",
            say("user.totp.drop"),
            type="button",
            data_do="remove_totp",
            data_closes=True,
            class_="stop",
        )
        button = tag("button", say("user.totp.drop"), type="button", data_opens="drop-totp")
        rows.append(_line(say("user.second"), say("user.totp.about"), button))
        rows.append(confirm("drop-totp", say, "user.totp.sure", sure, name=user.name))
    else:
        rows.append(_line(say("user.second"), say("user.totp.off"), None))
    if user.disabled:
        button = tag(
            "button", say("user.let"), type="button", data_do="bar_user", data_disabled="no", class_="first"
        )
        rows.append(_line(say("user.standing"), say("user.disabled.more"), button))
    else:
        sure = tag(
            "button",
            say("user.bar"),
            type="button",
            data_do="bar_user",
            data_disabled="yes",
            data_closes=True,
            class_="stop",
        )
        button = tag("button", say("user.bar"), type="button", data_opens="bar", class_="danger")
        rows.append(_line(say("user.standing"), say("user.stands"), button))
        rows.append(confirm("bar", say, "user.bar.sure", sure, name=user.name))
    return card(say("user.sign_in"), tag("div", rows, class_="settings"), key="sign-in")


def _line(term: str, words: str, button: Content) -> Markup:
    return tag(
        "div",
        tag("div", tag("p", term, class_="strong"), tag("p", words, class_="soft small"), class_="grow"),
        button,
        class_="setting",
    )


def _tokens(look: Look, some: Sequence[ApiKey], may: bool) -> Markup:
    say = look.say
    if not some:
        return card(say("token.title"), pieces.empty(say, "token.none.hers"), key="tokens")
    return card(say("token.title"), tokens_table(look, some, may), key="tokens")


PARTS = {"head": head, "body": body}
