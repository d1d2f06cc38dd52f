"""Who hears a recording by a link: those that there are, and a form for another."""

from __future__ import annotations

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.look import Look
from engine.console.markup import tag
from engine.console.share import LASTS_S, MOST_NOTE
from engine.console.views import pieces
from engine.console.views.one_call import file_of
from engine.console.views.pieces import card, icon, moment, name, pill
from engine.sharing import MOST_USES, Share

USUAL_S = LASTS_S[2]


def shares(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    names = file.record.recording.split() if file.record is not None else []
    if not names or not look.who.may(Permission.SHARE):
        return Markup("")
    rows = [_row(look, place, each) for place, each in enumerate(file.shares)]
    listed = tag("ul", rows, class_="rows") if rows else None
    return card(say("share.title"), _new(look), _form(look, names), listed, key="shares")


def _new(look: Look) -> Markup | None:
    """The link that was made a moment ago, which nobody is shown again."""
    link, say = file_of(look).link, look.say
    if not link:
        return None
    words = [icon("share"), say("share.copy")]
    copy = tag("button", words, type="button", data_here="copy", data_copy=link, class_="first")
    box = tag("input", value=link, readonly=True, dir="ltr", aria_label=say("share.link"), data_key=link)
    told = tag("p", say("share.once"), class_="soft small")
    return tag("div", tag("div", box, copy, class_="row link-row"), told, class_="stack-s", role="status")


def _form(look: Look, names: list[str]) -> Markup:
    say = look.say
    lasts = [
        tag("option", say(f"share.lasts.{each}"), value=str(each), selected=each == USUAL_S)
        for each in LASTS_S
    ]
    which = [tag("option", each, value=each) for each in names]
    file = (
        tag("label", say("share.file"), tag("select", which, name="recording"))
        if len(names) > 1
        else tag("input", type="hidden", name="recording", value=names[0])
    )
    uses = tag("input", type="number", name="uses", min=1, max=MOST_USES, placeholder=say("share.uses.any"))
    words = tag("input", type="checkbox", name="transcript", value="yes")
    return tag(
        "form",
        file,
        tag("label", say("share.lasts"), tag("select", lasts, name="lasts")),
        tag("label", say("share.uses"), uses),
        tag("label", say("share.note"), tag("input", name="note", maxlength=MOST_NOTE)),
        tag("label", words, say("share.transcript"), class_="check wide"),
        tag("div", tag("button", say("share.make"), type="submit"), class_="row end"),
        data_do="share",
        class_="place",
    )


def _row(look: Look, place: int, share: Share) -> Markup:
    say = look.say
    leads = share.leads(look.now.at)
    key = "on" if leads else "revoked" if share.revoked_at is not None else "over"
    used = say("share.used", n=share.uses)
    about = [
        pill(say(f"share.{key}"), "good" if leads else "soft"),
        name(share.note) if share.note else None,
        tag("span", used if not share.most else f"{used} / {say.number(share.most)}", class_="soft"),
    ]
    until = [say("share.until"), " ", moment(share.expires_at, "day"), " · ", name(share.made_by)]
    ends = None
    if leads:
        dialog = f"revoke-{place}"
        sure = tag(
            "button", say("share.revoke"), type="button", class_="stop", data_do="revoke", data_closes=True,
            data_share=share.id, data_recording=share.recording,
        )  # fmt: skip
        ends = [
            tag("button", say("share.revoke"), type="button", data_opens=dialog, class_="danger"),
            pieces.confirm(dialog, say, "share.revoke.sure", sure),
        ]
    return tag(
        "li", tag("div", tag("p", about), tag("p", until, class_="soft small")), ends, data_key=share.id
    )
