"""Where somebody is signed in, and what programs come with in her name."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from engine.console.look import Look
from engine.console.markup import Content, tag
from engine.console.views import pieces
from engine.console.views.pieces import card, cell, confirm, moment, name, pill, row
from engine.store.accounts import ApiKey, Session


def sessions(look: Look, some: Sequence[Session], whose: str) -> Markup:
    """Where somebody is signed in, and ending it."""
    say = look.say
    if not some:
        return card(say("sessions.title"), pieces.empty(say, "sessions.none"), key="sessions")
    rows = [
        tag(
            "li",
            tag(
                "div",
                tag(
                    "p",
                    tag("span", name(each.source or "–"), class_="strong"),
                    tag("span", say.known(f"how.{each.how}", each.how), class_="soft"),
                    tag("span", name(each.client), class_="soft") if each.client else "",
                ),
                tag(
                    "p",
                    tag("span", [say("sessions.began"), " ", moment(each.made_at, "day")]),
                    tag("span", [say("sessions.seen"), " ", moment(each.seen_at, "minute")]),
                    class_="soft small",
                ),
            ),
            tag("button", say("sessions.end"), type="button", data_do="end_sessions", data_session=each.id),
            data_key=each.id,
        )
        for each in some
    ]
    sure = tag(
        "button",
        say("sessions.end_all"),
        type="button",
        data_do="end_sessions",
        data_closes=True,
        class_="stop",
    )
    every = tag("button", say("sessions.end_all"), type="button", data_opens="end-all", class_="danger")
    return card(
        say("sessions.title"),
        tag("ul", rows, class_="rows"),
        confirm("end-all", say, "sessions.sure", sure, name=whose),
        more=every,
        key="sessions",
    )


def tokens_table(look: Look, some: Sequence[ApiKey], revokes: bool) -> Markup:
    say, now = look.say, look.now.at
    heads = [
        (say("token.name"), ""),
        (say("token.scopes"), ""),
        (say("token.used"), ""),
        (say("token.expires"), ""),
        (tag("span", say("token.revoke"), class_="quiet"), ""),
    ]
    rows = []
    for each in sorted(some, key=lambda key: (key.revoked_at is not None, -key.made_at)):
        good = each.revoked_at is None and each.expires_at > now
        end: Content = None
        if good and revokes:
            id = f"revoke-{each.id}"
            sure = tag(
                "button",
                say("token.revoke"),
                type="button",
                data_do="revoke_token",
                data_token=each.id,
                data_closes=True,
                class_="stop",
            )
            opens = tag("button", say("token.revoke"), type="button", data_opens=id, class_="danger")
            end = [opens, confirm(id, say, "token.sure", sure, name=each.name)]
        ends = (
            moment(each.expires_at, "day")
            if good
            else pill(say("token.revoked" if each.revoked_at else "token.over"), "soft")
        )
        limited = [*each.markets, *each.teams]
        rows.append(
            row(
                each.id,
                cell(
                    [
                        tag("b", name(each.name)),
                        tag("span", ", ".join(limited), class_="soft below") if limited else None,
                    ]
                ),
                cell(tag("span", [pill(tag("code", scope)) for scope in each.scopes], class_="row tight")),
                cell(
                    moment(each.used_at, "day")
                    if each.used_at
                    else tag("span", say("token.never"), class_="soft")
                ),
                cell(ends),
                cell(end),
                class_="" if good else "off",
            )
        )
    return pieces.table(heads, rows, label=say("token.title"))
