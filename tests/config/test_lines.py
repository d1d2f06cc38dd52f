"""Lines: what their files mean to routing and to SIP, and every mistake in them with its line and remedy."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from config.fault import ConfigError
from config.hours import window
from config.load import SHIPPED, load
from config.mobile import TELEPHONY
from config.reload import plan
from config.schema import Config
from routing.dial import Target
from routing.exchange import Exchange
from routing.failover import Redirects
from routing.identity import Assert, Show
from routing.number import QueueTarget
from routing.rate import Rate
from routing.rewriting import Form
from routing.window import DAY, Window
from sip.aka import AkaCredentials
from sip.digest import Credentials
from sip.hop import Hop
from sip.uri import Uri

LINE = """\
country: GB
region: eu-west
sources: [198.51.100.0/28]
addresses: [{host: gw.example.com, priority: 5, weight: 2}]
caller_id: {number: "+442071838750"}
"""
IMS = (
    LINE
    + """\
kind: ims
ims: {domain: ims.example, public_identity: "sip:+442071838750@ims.example", private_identity: me@ims.example}
register: {}
credentials: {user: me, password: {env: IMS}}
"""
)
Write = Callable[..., Config]


@pytest.fixture
def write(folder: Path) -> Write:
    """The configuration with lines of this text: more settings after, and instead of, those of LINE."""

    def written(text: str = LINE, /, name: str = "north", **env: str) -> Config:
        (folder / "lines" / f"{name}.yaml").write_text(text, "utf-8")
        return load(folder, env)

    return written


def refusal(write: Write, text: str, **env: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        write(text, **env)
    return [str(fault) for fault in caught.value.faults]


# --- what a line means ------------------------------------------------------------------------------


def test_every_shipped_line_is_sound_and_only_waits_to_be_enabled(folder):
    shutil.copytree(SHIPPED / "lines", folder / "lines", dirs_exist_ok=True)
    shipped = load(folder, {})
    assert list(shipped.lines) == ["carrier", "example", "gateway", "ims"]
    for name, line in shipped.lines.items():
        path = folder / "lines" / f"{name}.yaml"
        text = path.read_text("utf-8").replace("enabled: false ", "enabled: true ")
        assert text != path.read_text("utf-8")
        path.write_text(text.replace("{generated: true}", "{env: PASSWORD}"), "utf-8")
        assert not line.calls_out
    assert all(line.calls_out for line in load(folder, {"PASSWORD": "x"}).lines.values())


def test_a_line_that_says_little_has_defaults_that_work(write):
    config = write()
    spec, terms = config.specs["north"], config.lines["north"].terms()
    assert (spec.enabled, spec.priority, spec.max_calls, spec.emergency) == (True, 10, 0, True)
    assert (terms.transport, terms.target, terms.outgoing.form) == ("", Target.SIP, Form.E164)
    assert (terms.caller_id.show, terms.caller_id.asserted) == (Show.LISTED, Assert.ASSERTED)
    assert terms.early_media_rings
    assert [(each.host, each.port, each.priority, each.weight) for each in terms.addresses] == [
        ("gw.example.com", 0, 5, 2.0)
    ]


def test_the_example_says_everything_to_routing(folder, edit):
    edit("lines/example.yaml", "enabled: false ", "enabled: true ")
    config = load(folder, {})
    spec, terms = config.specs["example"], config.lines["example"].terms()
    assert (spec.max_calls, spec.max_calls_per_s, spec.region) == (30, 5, "eu-west")
    assert spec.tariff.takes == ("+44", "+34")
    assert [rate.cost(60.0) for rate in spec.tariff.rates] == pytest.approx([0.012, 0.006, 0.012])
    assert terms.outgoing.outgoing("+34910601234") == "01134910601234"
    assert terms.dids == {"+442071838999": QueueTarget("support")}
    assert (terms.signalling_dscp, terms.media_dscp, terms.codecs) == (24, 46, ("PCMA", "PCMU"))


def test_a_line_without_addresses_takes_calls_and_sends_none(write):
    config = write("country: GB\nsources: [198.51.100.0/28]\n")
    assert config.lines["north"].enabled
    assert not config.specs["north"].enabled


def test_the_configuration_makes_an_exchange_that_chooses(write):
    config = write()
    terms = {name: line.terms() for name, line in config.lines.items()}
    rules = config.routing.rules(config.sip.timers.ring_s)
    exchange = Exchange(config.specs, terms, rules, Random(1))
    assert exchange.choose(exchange.demand("+442071838750", "GB"), 0.0, 0.0).order == ("north",)
    assert (rules.policy.ring_s, rules.policy.redirects) == (60.0, Redirects.SAME_LINE)


def contact(hop: Hop) -> Uri:
    return Uri.sip("", hop.host)


def test_a_line_registers_with_its_first_address_as_the_user_of_its_credentials(write):
    text = (
        LINE
        + "transport: tls\nregister: {expires_s: 300}\ncredentials: {user: isogloss, password: {env: PW}}\n"
    )
    found = write(text, PW="secret").lines["north"].registration(contact, "Isogloss")
    assert found is not None and found.credentials is not None
    assert str(found.registrar) == "sip:gw.example.com;transport=tls"
    assert str(found.account.uri) == "sip:isogloss@gw.example.com"
    assert found.credentials == Credentials("isogloss", "secret")
    assert found.expires == 300
    assert write().lines["north"].registration(contact, "Isogloss") is None


def test_an_ims_line_registers_its_public_identity_and_authenticates_as_its_private_one(write):
    line = write(IMS + "transport: tcp\n", IMS="secret").lines["north"]
    found, terms = line.registration(contact, "Isogloss"), line.terms()
    assert found is not None and found.credentials is not None
    assert (str(found.registrar), found.credentials.user) == ("sip:ims.example", "me@ims.example")
    assert str(found.account.uri) == "sip:+442071838750@ims.example"
    assert (terms.target, terms.domain, terms.early_media_rings) == (Target.TEL, "ims.example", False)
    assert terms.preconditions and "100rel" in terms.extensions
    assert (found.home, dict(found.manner.always)) == ("ims.example", {})


def test_an_ims_line_says_how_it_has_access_and_registers_with_a_card(write):
    text = IMS.replace(
        "me@ims.example}", "me@ims.example, access_network: IEEE-802.11, visited_network: v.example}"
    )
    text = text.replace("password: {env: IMS}", 'aka: {k: {env: K}, op: {env: OP}, amf: "8000"}')
    config = write(text, K="465b5ce8b199b49faa5f0a2ee238a6bc", OP="cdc202d5123e20f62b6d676ac72cb318")
    line = config.lines["north"]
    account = line.account()
    found = line.registration(contact, "Isogloss", account)
    assert found is not None and isinstance(account, AkaCredentials) and found.credentials is account
    assert account.user == "me@ims.example"
    assert dict(found.manner.always) == {
        "P-Access-Network-Info": "IEEE-802.11",
        "P-Visited-Network-ID": "v.example",
    }
    assert "465b5c" not in f"{line!r}{found!r}".lower()


def test_an_ims_line_registers_as_the_terminal_that_its_network_wants_to_know(write):
    imei = "urn:gsma:imei:35824005-694763-0"
    text = IMS.replace("me@ims.example}", f'me@ims.example, instance: "{imei}"}}')
    line = write(text, IMS="x").lines["north"]
    found = line.registration(contact, "Isogloss")
    assert found is not None and found.manner.features == f'{TELEPHONY};+sip.instance="<{imei}>"'
    assert line.caller_id.asserted is None and line.terms().caller_id.asserted is Assert.PREFERRED


def test_what_we_register_is_the_number_or_the_account_without_its_domain(write):
    assert write(IMS, IMS="secret").lines["north"].contact_user == "+442071838750"
    text = LINE + "register: {}\ncredentials: {user: me@carrier.example, password: {env: PW}}\n"
    assert write(text, PW="x").lines["north"].contact_user == "me"
    assert write(text.replace("{}", "{user: line 1}"), PW="x").lines["north"].contact_user == "line%201"
    assert write().lines["north"].contact_user == ""


def test_a_password_is_never_shown(write):
    text = LINE + "register: {}\ncredentials: {user: isogloss, password: {env: PW}}\n"
    line = write(text, PW="hunter2").lines["north"]
    assert "hunter2" not in f"{line!r}{line.registration(contact, '')!r}"


# --- hours and rates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mon-fri 08:00-18:00", Window(frozenset(range(5)), 480, 1080)),
        ("sat,sun", Window(frozenset({5, 6}), 0, DAY)),
        ("22:00-06:00", Window(frozenset(range(7)), 1320, 360)),
        ("Fri-Mon 00:00-24:00", Window(frozenset({4, 5, 6, 0}), 0, DAY)),
        ("mon,wed-thu 09:30-10:00", Window(frozenset({0, 2, 3}), 570, 600)),
    ],
)
def test_hours_are_read_as_they_are_said(text, meant):
    assert window(text) == meant


@pytest.fixture
def rates(folder: Path) -> Callable[[str], None]:
    def written(text: str) -> None:
        (folder / "lines" / "north.csv").write_text(text, "utf-8")

    return written


def test_a_carriers_list_of_rates_is_read_beside_the_lines_own(write, rates):
    rates('prefix,per_minute,per_call,hours\n+44,0.01,0.1,\n+34,0.005,,"sat,sun;22:00-06:00"\n')
    spec = write(LINE + 'rate_list: lines/north.csv\nrates: [{prefix: "+1", per_minute: 0.02}]\n').specs[
        "north"
    ]
    assert spec.tariff.rates[:2] == (Rate("+1", 0.02), Rate("+44", 0.01, 0.1))
    assert spec.tariff.rates[2].when is not None
    rates("prefix,per_minute\n+44,0.01\n")
    assert write(LINE + "rate_list: lines/north.csv\n").specs["north"].tariff.rates == (Rate("+44", 0.01),)


def test_a_list_of_rates_that_is_not_there_is_said_to_be(write):
    assert "cannot be read" in refusal(write, LINE + "rate_list: lines/none.csv\n")[0]


def test_what_is_new_in_a_list_is_told_before_it_is_applied(write, rates):
    text = LINE + "rate_list: lines/north.csv\n"
    rates("prefix,per_minute\n+44,0.01\n+34,0.02\n")
    before = write(text)
    rates("prefix,per_minute\n+44,0.03\n")
    (change,) = plan(before, write(text))
    assert change.words == "line north: rate_list: 1 rates are new or other, 2 gone"


# --- mistakes ---------------------------------------------------------------------------------------

OUT = "numbers: {{outgoing: {{rules: [{}], examples: {{{}}}}}}}\n"
CREDENTIALS = "credentials: {user: u, password: {env: PW}}\n"
CARD = 'kind: ims\nims: {domain: x.example, public_identity: "sip:a@x.example"}\ncredentials: {user: u, aka: '
MISTAKES = {
    "a misspelt setting": ("adresses: []", "did you mean 'addresses'"),
    "a misspelt setting of an address": ("addresses: [{hots: x}]", "did you mean 'host'"),
    "an unknown kind": ("kind: sip", "`ip` or `ims`"),
    "an unknown transport": ("transport: sctp", "`udp`, `tcp` or `tls`"),
    "a port beside its host": ("addresses: [{host: 'x:5060'}]", "without a port"),
    "an address twice": ("addresses: [{host: x}, {host: x}]", "named twice.*keep one"),
    "nobody's address": ("addresses: [{host: 0.0.0.0}]", "nobody's address"),
    "a weight of nothing": ("addresses: [{host: x, weight: 0}]", "over 0"),
    "a password written down": ("credentials: {user: u, password: hunter2}", "a reference, not a value"),
    "a password from nowhere": ("credentials: {user: u, password: {env: NONE}}", "NONE is not set"),
    "a password made up": ("credentials: {user: u, password: {generated: true}}", "cannot be made up"),
    "a header in a user name": ('credentials: {user: "u\\r\\nX: y", password: {env: PW}}', "SIP header"),
    "no password at all": ("credentials: {user: u}", "has no password.*or aka with k and opc"),
    "a password and a card": (
        CARD.replace("aka", "password: {env: PW}, aka") + "{k: {env: K}, opc: {env: K}}}",
        "and a card's keys",
    ),
    "a card without its operator": (CARD + "{k: {env: K}}}", "neither opc nor op"),
    "a card of two operators": (CARD + "{k: {env: K}, opc: {env: K}, op: {env: K}}}", "both opc and op"),
    "a key that is none": (CARD + "{k: {env: PW}, opc: {env: K}}}", "is no key.*32 hexadecimal digits"),
    "a key made up": (CARD + "{k: {env: K}, opc: {generated: true}}}", "aka.opc.*cannot be made up"),
    "an AMF that is none": (CARD + '{k: {env: K}, opc: {env: K}, amf: "80"}}', "is no AMF.*4 hexadecimal"),
    "a terminal that is no URN": (
        IMS.replace("me@ims.example}", 'me@ims.example, instance: "a>b"}').removeprefix(LINE),
        "is no URN.*urn:gsma:imei",
    ),
    "a card for a gateway": (
        "credentials: {user: u, aka: {k: {env: K}, opc: {env: K}}}",
        "is for mobile networks",
    ),
    "registering without a password": ("register: {}", "has no credentials"),
    "registering nowhere": ("register: {}\naddresses: []\n" + CREDENTIALS, "leads nowhere"),
    "an IMS line without its block": ("kind: ims", "has no block ims"),
    "an IMS block of another line": (
        'ims: {domain: x, public_identity: "sip:a@x"}',
        "without effect on a line of kind ip",
    ),
    "an identity that is no URI": (
        "kind: ims\nims: {domain: x, public_identity: alice}",
        "no SIP or tel URI",
    ),
    "a codec twice": ("codecs: [PCMA, PCMA]", "names a codec twice"),
    "an unknown codec": ("codecs: [GSM]", "cannot be .GSM"),
    "an unknown form of numbers": ("numbers: {outgoing: {form: local}}", "`national`"),
    "a pattern that cannot be read": (
        OUT.format('{match: "^44", write: "0"}', ""),
        "not a pattern.*X for any digit",
    ),
    "a reference to nothing": (OUT.format('{match: "44...", write: "0{1}"}', ""), "0 pairs of brackets"),
    "a rule without an example": (OUT.format('{match: "44(...)", write: "0{1}"}', ""), "no example shows"),
    "an example that is not so": (
        OUT.format('{match: "+44(...)", write: "0{1}"}', '"+44207183": "00207183"'),
        r"becomes 0207183, not 00207183",
    ),
    "nobody to show": ("caller_id: {show: own}", "caller_id.number"),
    "a caller ID that is none": ('caller_id: {number: "020 7183 8750"}', "not an E.164 number"),
    "a list without effect": (
        'caller_id: {number: "+442071838750", show: own, listed: ["+44"]}',
        "without effect with show: own",
    ),
    "an unknown header": ('caller_id: {number: "+442071838750", asserted: pai}', "`p-asserted-identity`"),
    "a DSCP that is none": ("dscp: {media: 64}", "from 0 to 63"),
    "a DID that is none": ('dids: {"1001": {queue: support}}', "not an E.164 number"),
    "a DID that leads nowhere": ('dids: {"+442071838751": {queue: suport}}', "did you mean 'support'"),
    "no DIDs and nothing else": ("only_dids: true", "refuses every call"),
    "a percentage over all": ("percent: 101", "from 0 to 100"),
    "a negative cap": ("max_calls: -1", "from 0"),
    "a prefix without plus": ('takes: ["44"]', "E.164 prefix"),
    "a prefix taken and barred": ('takes: ["+44"]\nbarred: ["+44"]', "in takes as well"),
    "hours that are none": ("hours: [weekdays]", "mon-fri 08:00-18:00"),
    "a time that is none": ("hours: [08:00-25:00]", "no time of day"),
    "hours that hold never": ("hours: [08:00-08:00]", "holds never"),
    "an unknown time zone": ("zone: Europe/Atlantis", "IANA name"),
    "a rate twice": (
        'rates: [{prefix: "+44", per_minute: 1}, {prefix: "+44", per_minute: 2}]',
        "has a rate for these hours already",
    ),
    "a negative price": ('rates: [{prefix: "+44", per_minute: -1}]', "price from 0"),
}


RATE_LISTS = {
    "+44,0.01\n": (1, "other columns"),
    "prefix,per_minute\n44,0.01\n": (2, "E.164 prefix"),
    "prefix,per_minute\n+44,cheap\n": (2, "not a price"),
    "prefix,per_minute\n+44,0.01\n+44,0.02\n": (3, "second time"),
    "prefix,per_minute\n+44\n": (2, "too many or too few"),
    "prefix,per_minute\n+44,0.01,7\n": (2, "too many or too few"),
    "prefix,per_minute,hours\n+44,0.01,always\n": (2, "are no hours"),
    "prefix,per_minute\n+44,-1\n": (2, "not a price"),
    'prefix,per_minute\n"+44,0.01\n': (2, "not CSV"),
}


def sound_before(wrong: str) -> list[str]:
    """The lines of LINE but those that the mistake is in the place of."""
    named = {setting.partition(":")[0] for setting in wrong.splitlines()}
    return [line for line in LINE.splitlines() if line.partition(":")[0] not in named]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every fault of a configuration that has all mistakes at once, a line each."""
    to = tmp_path_factory.mktemp("mistakes") / "config"
    shutil.copytree(SHIPPED, to, ignore=shutil.ignore_patterns("*.py", "__pycache__", "lines"))
    (to / "lines").mkdir()
    for at, (wrong, _) in enumerate(MISTAKES.values()):
        text = "\n".join([*sound_before(wrong), wrong, ""])
        own = text.replace("198.51.100.0/28", f"198.51.100.{at}/32")
        (to / "lines" / f"m{at}.yaml").write_text(own, "utf-8")
    for at, text in enumerate(RATE_LISTS):
        (to / "lines" / f"r{at}.yaml").write_text(
            LINE.replace(".0/28", f".{200 + at}/32") + f"rate_list: r{at}.csv\n"
        )
        (to / f"r{at}.csv").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(to, {"PW": "x", "K": "0" * 32})
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_its_line_and_a_remedy(told, mistake):
    wrong, said = MISTAKES[mistake]
    file = rf"m{list(MISTAKES).index(mistake)}\.yaml:(\d+): .*; \w"
    mine = [(each, found) for each in told if (found := re.search(file, each))]
    fitting = [(each, found) for each, found in mine if re.search(said, each)]
    assert fitting, [each for each, _ in mine]
    assert any(int(found[1]) > len(sound_before(wrong)) for _, found in fitting), fitting
    assert not [each for each in told if "hunter2" in each]


@pytest.mark.parametrize("text", RATE_LISTS)
def test_a_mistake_in_a_list_of_rates_is_told_with_its_line(told, text):
    line, problem = RATE_LISTS[text]
    file = rf"r{list(RATE_LISTS).index(text)}\.csv:{line}: .*{problem}.*; \w"
    assert any(re.search(file, each) for each in told), [each for each in told if ".csv" in each]


def test_more_than_all_calls_of_a_priority_cannot_be_promised(write):
    write(LINE + "percent: 60\n", name="east")
    text = LINE.replace("198.51.100.0/28", "198.51.100.16/28")
    assert "promised 110 % together" in refusal(write, text + "percent: 50\n")[0]
    write(text + "percent: 50\npriority: 20\n")


def test_a_folder_without_routing_has_what_is_shipped(folder):
    shipped = load(folder, {}).routing
    (folder / "routing.yaml").unlink()
    assert load(folder, {}).routing == shipped


def test_mistakes_in_how_lines_are_chosen_are_refused(edit, faults):
    mistakes = [
        ("first_back_off_s: 1 ", "first_back_off_s: 60 ", "60 is over longest_back_off_s, 10"),
        ("doubt_s: 1 ", "doubt_s: 5 ", "5 is over dead_s, 3"),
        ("budget_s: 12 ", "budget_s: 0.6 ", "spent before a second line is tried"),
    ]
    for old, new, _ in mistakes:
        edit("routing.yaml", old, new)
    told = [str(fault) for fault in faults()]
    assert [said for _, _, said in mistakes if not any(said in each for each in told)] == []


def test_values_that_cannot_be_are_refused_where_they_stand(edit, faults):
    mistakes = [
        ("redirects: same-line ", "redirects: follow ", "`same-line`"),
        ("emergency_numbers: []", "emergency_numbers: [help]", "not an emergency number"),
        ("  cost: 1 ", "  costs: 1 ", "did you mean 'cost'"),
    ]
    for old, new, _ in mistakes:
        edit("routing.yaml", old, new)
    told = [str(fault) for fault in faults()]
    assert [said for _, _, said in mistakes if not any(said in each for each in told)] == []
