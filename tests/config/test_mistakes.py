"""Every kind of mistake an operator makes is refused with file, line, what is wrong and what to do."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Mistake:
    """`old` becomes `new` in `file`; the fault stands where `at` begins, and says `problem` and `remedy`."""

    file: str
    old: str
    new: str
    at: str
    problem: str
    remedy: str


MISTAKES = {
    # --- spelling and form
    "a misspelt setting": Mistake(
        "sip.yaml", "registrar:", "registar:", "registar:", "is no setting here", "did you mean 'registrar'?"
    ),
    "a misspelt setting deep inside": Mistake(
        "queues.yaml",
        "ring_timeout_s: 20 ",
        "ring_timeuot_s: 20 ",
        "  ring_timeuot_s",
        "is no setting here",
        "did you mean 'ring_timeout_s'?",
    ),
    "a setting nothing resembles": Mistake(
        "node.yaml", "drain_s: 30", "flavour: mild", "flavour", "is no setting here", "known here: changes"
    ),
    "a required setting left out": Mistake(
        "node.yaml",
        "country: GB",
        "# country: GB",
        "# The node",
        "is missing",
        "add `country`: Country whose",
    ),
    "a required setting of a queue left out": Mistake(
        "queues.yaml", "Ventas\n  language: es\n", "Ventas\n", "ventas:", "is missing", "add `language`"
    ),
    "a setting written twice": Mistake(
        "node.yaml", "market: uk", "name: other\nmarket: uk", "name: other", "is written twice", "keep one"
    ),
    "an agent written twice": Mistake(
        "agents.yaml", "  bob:", "  alice:", "  alice:\n    display: Bob", "is written twice", "keep one"
    ),
    "a tab": Mistake("node.yaml", "  level: info", "\tlevel: info", "\tlevel", "a tab", "indent with spaces"),
    "a colon left out": Mistake(
        "node.yaml", "market: uk", "market uk", "country", "is not YAML", "check indentation, colons"
    ),
    "a star without quotes": Mistake(
        "numbers.yaml", 'login: "*45"', "login: *45", "  login", "read as an alias", "put it in quotes"
    ),
    "a number that is not finite": Mistake(
        "node.yaml", "drain_s: 30", "drain_s: .inf", "drain_s", "must be a number", "seconds from 0"
    ),
    "a setting without a value": Mistake(
        "node.yaml", "region: eu-west", "region:", "region", "has no value", "give it one, or remove the line"
    ),
    # --- single values
    "yes for true": Mistake(
        "sip.yaml", "anonymous_callers: false", "anonymous_callers: no", "anonymous", "true or false", "true"
    ),
    "a number in quotes": Mistake(
        "api.yaml",
        "port: 8080",
        'port: "8080"',
        "port",
        "must be a whole number",
        "without quotes or fraction",
    ),
    "a text without quotes that is a number": Mistake(
        "queues.yaml",
        'leave_key: "*"',
        "leave_key: 9",
        "  leave_key",
        "cannot be 9",
        "`9`, `*`, `#` or empty",
    ),
    "a fraction where whole numbers count": Mistake(
        "media.yaml",
        "workers: 1",
        "workers: 1.5",
        "workers",
        "must be a whole number",
        "quotes or fraction",
    ),
    "a port that does not exist": Mistake(
        "api.yaml",
        "port: 8080",
        "port: 80800",
        "port",
        "80800: input should be less",
        "port from 1 to 65,535",
    ),
    "a negative time": Mistake(
        "queues.yaml", "wrap_up_s: 15", "wrap_up_s: -1", "  wrap_up_s: -1", "-1: input should be", "from 0"
    ),
    "a single value for a list": Mistake(
        "queues.yaml",
        "[welcome-sales, all-busy, leave-hint]",
        "welcome-sales",
        "  welcome: welcome-sales\n",
        "must be a list",
        "[one, two]",
    ),
    "a value for a block": Mistake(
        "media.yaml",
        "jitter:                   # of legs that are mixed, recorded or transcoded: follows the network\n"
        "  min_ms: 20              # the least, on a good network\n"
        "  max_ms: 200             # more takes worse networks, and everybody answers later\n"
        "  start_ms: 40            # until something is known of a call's network\n",
        "jitter: 40\n",
        "jitter",
        "must hold settings by name",
        "lines below it",
    ),
    "a jitter buffer that begins with more than it may hold": Mistake(
        "media.yaml",
        "start_ms: 40",
        "start_ms: 300",
        "  start_ms",
        "300 is over max_ms, 200",
        "write at most 200",
    ),
    "an unknown transport": Mistake(
        "sip.yaml",
        "- {transport: tcp,",
        "- {transport: sctp,",
        "  - {transport: sctp",
        'cannot be "sctp"',
        "`udp`, `tcp`, `tls`, `ws` or `wss`",
    ),
    "an unknown codec": Mistake(
        "media.yaml", "G722, PCMA", "G722, GSM", "codecs", 'cannot be "GSM"', "`OPUS`, `G722`, `PCMA`, `PCMU`"
    ),
    "a packet time that phones do not know": Mistake(
        "media.yaml", "ptime_ms: 20", "ptime_ms: 25", "ptime_ms", "cannot be 25", "`50` or `60`"
    ),
    "a host name for an address": Mistake(
        "media.yaml",
        "address: 0.0.0.0\n",
        "address: localhost\n",
        "address",
        "is not an IP",
        "this machine's",
    ),
    "a port in a host name": Mistake(
        "sip.yaml",
        "isogloss.local  ",
        "isogloss.local:5060",
        "domain",
        "is not a host name",
        "without a port",
    ),
    "a network that has host bits": Mistake(
        "lines/example.yaml", "[192.0.2.0/24]", "[192.0.2.7/24]", "sources", "has host bits set", "write CIDR"
    ),
    "a country by its name": Mistake(
        "node.yaml", "country: GB", "country: England", "country", "is not a country", "two capital letters"
    ),
    "a language by its name": Mistake(
        "queues.yaml",
        "Ventas\n  language: es",
        "Ventas\n  language: Spanish",
        "  language: Sp",
        "is not a language",
        "en, es or zh",
    ),
    "a name with a space": Mistake(
        "queues.yaml", "ventas:", "mis ventas:", "mis ventas", "is not a name", "use up to 64 of"
    ),
    "a password written down": Mistake(
        "agents.yaml",
        "    display: Bob\n    password: {generated: true}",
        "    display: Bob\n    password: hunter2",
        "    password: hunter2",
        "must be a reference, not a value",
        "{env: NAME} or {file: PATH}",
    ),
    "a secret from nowhere": Mistake(
        "agents.yaml",
        "    display: Bob\n    password: {generated: true}",
        "    display: Bob\n    password: {vault: bob}",
        "    password: {vault",
        "leads to no secret",
        "{env: NAME}",
    ),
    "a secret in a variable that is not set": Mistake(
        "api.yaml",
        "token: {generated: true}\n    role: viewer",
        "token: {env: NO_SUCH_VARIABLE}\n    role: viewer",
        "    token: {env",
        "environment variable NO_SUCH_VARIABLE is not set",
        "export NO_SUCH_VARIABLE=",
    ),
    "a secret in a file that is not there": Mistake(
        "store.yaml",
        "# url: {env: ISOGLOSS_DATABASE_URL}",
        "url: {file: database.url}",
        "url",
        "",
        "create it",
    ),
    "a database that is made up": Mistake(
        "store.yaml",
        "# url: {env: ISOGLOSS_DATABASE_URL}",
        "url: {generated: true}",
        "url",
        "cannot be made up",
        "{env: NAME}",
    ),
    "a name where the block's name is the name": Mistake(
        "queues.yaml",
        "title: Ventas",
        "name: ventas",
        "  name: ventas",
        "is no setting here",
        "'ventas' already",
    ),
    "somebody who may not dial": Mistake(
        "numbers.yaml",
        "support: {queue: support}\n  ventas",
        "support: {queue: support, callers: me}\n  ventas",
        "  support:",
        "'me' is nobody who may dial",
        "anyone, users or agents",
    ),
    "a destination of no kind": Mistake(
        "queues.yaml", "{announce: overloaded}", "{voicemail: bob}", "  overflow", "no kind of", "{queue: …}"
    ),
    "a destination of two kinds": Mistake(
        "queues.yaml",
        "{announce: overloaded}",
        "{announce: overloaded, queue: ventas}",
        "  overflow",
        "exactly one kind",
        "{agent: …}",
    ),
    "an echo of something": Mistake(
        "queues.yaml", "{announce: overloaded}", "{echo: 1}", "  overflow", "echo is 1", "{echo: true}"
    ),
    "an address that is none": Mistake(
        "queues.yaml",
        "{announce: overloaded}",
        "{uri: bob}",
        "  overflow",
        "not a SIP address",
        "sip:user@host",
    ),
    "a number nobody can dial": Mistake(
        "numbers.yaml", '"1004"', '"10/04"', '  "10/04"', "cannot be dialled", "country code, an extension"
    ),
    "a prefix without plus": Mistake(
        "numbers.yaml",
        "prefixes: {}",
        'prefixes: {"44": {queue: support}}',
        "prefixes",
        "not an E.164",
        "+4420",
    ),
    "a pattern without X": Mistake(
        "numbers.yaml", "patterns: {}", 'patterns: {"2001": {queue: support}}', "patterns", "is not a", "10XX"
    ),
    "a feature code of letters": Mistake(
        "numbers.yaml", '"*47"', '"pause"', "  pause", "is not a feature code", "seven digits"
    ),
    # --- values that do not agree
    "an agent in an unknown queue": Mistake(
        "agents.yaml",
        "queues: [ventas, support]",
        "queues: [vnetas, support]",
        "    queues: [vnetas",
        "there is no queue 'vnetas'",
        "did you mean 'ventas'?",
    ),
    "an agent in a queue twice": Mistake(
        "agents.yaml",
        "[zhichi, support]",
        "[zhichi, zhichi]",
        "    queues: [zhichi",
        "named twice",
        "remove one",
    ),
    "a queue without agents": Mistake(
        "agents.yaml", "[zhichi, support]", "[support]", "zhichi:", "no agent takes its calls", "add 'zhichi'"
    ),
    "a name for two people": Mistake(
        "agents.yaml", "  customer:", "  wei:", "  wei:\n    display: A", "is an agent's name", "rename one"
    ),
    "a number that leads to no queue": Mistake(
        "numbers.yaml",
        '"+34910601234": {queue: ventas}',
        '"+34910601234": {queue: sales}',
        '  "+34',
        "sales",
        "",
    ),
    "an extension of nobody": Mistake(
        "numbers.yaml",
        "{agent: carmen}",
        "{agent: carmel}",
        '  "1003"',
        "no agent 'carmel'",
        "mean 'carmen'?",
    ),
    "an unknown prompt": Mistake(
        "queues.yaml",
        "[welcome-sales, all-busy, leave-hint]",
        "[welcome-sales, all-bussy, leave-hint]",
        "  welcome: [welcome-sales",
        "there is no prompt 'all-bussy'",
        "did you mean 'all-busy'?",
    ),
    "an unknown announcement": Mistake(
        "queues.yaml",
        "{announce: overloaded}",
        "{announce: xyz}",
        "  overflow",
        "no prompt 'xyz'",
        "add its words",
    ),
    "queues that overflow in a circle": Mistake(
        "queues.yaml",
        "{announce: overloaded}",
        "{queue: ventas}",
        "  overflow",
        "support → ventas",
        "let one",
    ),
    "an overflow that is never reached": Mistake(
        "queues.yaml",
        "  wrap_up_s: 15\n  max_wait_s: 600\n",
        "  wrap_up_s: 15\n",
        "  overflow: {queue: support}\n\nzhichi",
        "is never reached",
        "set max_wait_s or max_length",
    ),
    "one number in two ways of writing": Mistake(
        "numbers.yaml",
        '  "1001":',
        '  "020 7183 8750": {queue: support}\n  "1001":',
        '  "020',
        "is the same number as '+442071838750'",
        "keep one of the two",
    ),
    "one code for two things": Mistake(
        "numbers.yaml", '"*49"', '"*45"', "  wrap_up_over", "*45 is the code for login", "choose another code"
    ),
    "too few ports for the calls": Mistake(
        "media.yaml",
        "port_high: 32766",
        "port_high: 17000",
        "port_high",
        "617 ports are too few for 500 calls",
        "set node.limits.max_calls to 154",
    ),
    "an odd first port": Mistake(
        "media.yaml", "port_low: 16384", "port_low: 16385", "port_low", "16385 is odd", "write 16386"
    ),
    "too few ports for so many workers": Mistake(
        "media.yaml",
        "workers: 1                # media processes, each with its share of the ports; "
        "auto for one a core\n",
        "workers: 64\nport_low: 16384\nport_high: 16500\n",
        "port_high",
        "117 ports are too few for 500 calls in 64 workers of 0 each",
        "set workers to 32",
    ),
    "a range of ports upside down": Mistake(
        "media.yaml", "port_high: 32766", "port_high: 10000", "port_high", "10000 is below port_low", "swap"
    ),
    "two listeners on one port": Mistake(
        "sip.yaml",
        "{transport: tls, address: 0.0.0.0, port: 5061}",
        "{transport: tls, address: 127.0.0.1, port: 5060}",
        "  - {transport: tls",
        "is taken by SIP tcp port 5060",
        "choose another port",
    ),
    "the API on a port of SIP": Mistake(
        "api.yaml", "port: 8080", "port: 5061", "port", "is taken by SIP tls port 5061", "choose another port"
    ),
    "media on a port of SIP": Mistake(
        "media.yaml",
        "port_low: 16384",
        "port_low: 5000",
        "port_low",
        "is taken by SIP udp port 5060",
        "choose",
    ),
    "tls without a certificate": Mistake(
        "sip.yaml",
        "  self_signed: true",
        "  self_signed: false",
        "  - {transport: tls",
        "no certificate",
        "tls.key",
    ),
    "pages that may connect, without their scheme": Mistake(
        "sip.yaml", "origins: []", "origins: [x.example]", "  origins", "not the origin of a page", "https://"
    ),
    "pings that come after the end": Mistake(
        "sip.yaml", "ping_s: 25", "ping_s: 600", "  ping_s", "not under connections.idle_s", "less than 600"
    ),
    "a certificate without a key": Mistake(
        "sip.yaml",
        "  # certificate: tls/fullchain.pem",
        "  certificate: a.pem #",
        "tls:",
        "has no key",
        "both",
    ),
    "a certificate that is not there": Mistake(
        "sip.yaml",
        "  # certificate: tls/fullchain.pem",
        "  certificate: a.pem #",
        "  cert",
        "is no file",
        "PEM",
    ),
    "least over most": Mistake(
        "sip.yaml", "t1_ms: 500", "t1_ms: 5000", "  t1_ms", "5000 is over t2_ms, 4000", "write at most 4000"
    ),
    "phones that would be asked over a gap in the sound": Mistake(
        "media.yaml",
        "rtp_timeout_s: 60",
        "rtp_timeout_s: 3",
        "rtp_timeout_s",
        "would ask phones over a short gap",
        "write 10 or more, or 0 for never",
    ),
    "phones that ring longer than proxies wait": Mistake(
        "queues.yaml",
        "ring_timeout_s: 20",
        "ring_timeout_s: 600",
        "  ring_timeout_s",
        "600: input should be less",
        "over 0 to 180",
    ),
    "registrations longer than the longest": Mistake(
        "sip.yaml",
        "default_expires_s: 300",
        "default_expires_s: 7200",
        "  default_expires_s",
        "7200 is over max_expires_s",
        "write at most 3600",
    ),
    "session timers shorter than the standard allows": Mistake(
        "sip.yaml", "  min_s: 90", "  min_s: 30", "  min_s", "is under 90", "RFC 4028"
    ),
    "no listener at all": Mistake(
        "sip.yaml",
        "listen:\n  - {transport: udp, address: 0.0.0.0, port: 5060}\n"
        "  - {transport: tcp, address: 0.0.0.0, port: 5060}\n"
        "  - {transport: tls, address: 0.0.0.0, port: 5061}\n"
        "  - {transport: wss, address: 0.0.0.0, port: 7443}",
        "listen: [] #",
        "listen",
        "no phone could reach the node",
        "add a line such as",
    ),
    "an address that no peer can reach": Mistake(
        "media.yaml",
        "# external_address: 203.0.113.10",
        "external_address: 0.0.0.0",
        "external",
        "be told",
        "write",
    ),
    "an address that no browser can reach": Mistake(
        "media.yaml",
        "# external_address: 198.51.100.7 ",
        "  external_address: 0.0.0.0",
        "  external",
        "be told",
        "write",
    ),
    "an API that nobody may use": Mistake(
        "api.yaml",
        "tokens:\n  console:\n    token: {generated: true}\n    role: operator\n"
        "  prometheus:\n    token: {generated: true}\n    role: viewer\n"
        "  website:\n    token: {generated: true}\n    role: site\n",
        "tokens: {}\n",
        "tokens",
        "nobody may use the API",
        "add a token",
    ),
    "a line that lets everybody in": Mistake(
        "lines/example.yaml",
        "sources: [192.0.2.0/24]",
        "sources: [0.0.0.0/0]",
        "sources",
        "lets everybody in",
        "name the networks of the gateway",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_refused_with_file_line_and_remedy(mistake, folder: Path, edit, faults):
    edit(mistake.file, mistake.old, mistake.new)
    found = faults()
    told = [each for each in found if mistake.problem in each.problem and mistake.remedy in each.remedy]
    assert told, [str(each) for each in found]
    shown = [(Path(each.file), each.line) for each in told]
    assert any(_stands_at(folder, *each, mistake.at) for each in shown), shown


def _stands_at(folder: Path, file: Path, line: int, at: str) -> bool:
    assert file.is_relative_to(folder)
    below = "\n".join(file.read_text("utf-8").splitlines()[max(0, line - 1) :])
    return line > 0 and below.startswith(at)


def test_a_fault_reads_as_one_line(edit, faults, folder):
    edit("queues.yaml", "ring_timeout_s: 20 ", "ring_timeout_s: soon #")
    assert str(faults()[0]) == (
        f"{folder}/queues.yaml:12: support.ring_timeout_s: must be a number; "
        "write it without quotes (seconds over 0 to 180)"
    )


def test_several_mistakes_are_told_at_once_and_in_order(edit, faults):
    edit("api.yaml", "port: 8080", "port: 0")
    edit("node.yaml", "country: GB", "country: gb")
    edit("queues.yaml", "ring_timeout_s: 20 ", "ring_timeuot_s: 20 ")
    edit("queues.yaml", "Ventas\n  language: es", "Ventas\n  language: Spanish")
    edit("agents.yaml", "queues: [ventas, support]", "queues: [vnetas, support]")
    told = [(Path(fault.file).name, fault.path) for fault in faults()]
    assert told == [
        ("agents.yaml", "agents.carmen.queues[0]"),
        ("api.yaml", "port"),
        ("node.yaml", "country"),
        ("queues.yaml", "support.ring_timeuot_s"),
        ("queues.yaml", "ventas.language"),
    ]


def test_a_secret_written_down_by_mistake_is_not_repeated_in_the_fault(edit, faults):
    edit("api.yaml", "{generated: true}\n    role: viewer", "hunter2\n    role: viewer")
    edit("agents.yaml", "Bob\n    password: {generated: true}", "Bob\n    password: {generated: hunter2}")
    edit("store.yaml", "# url: {env: ISOGLOSS_DATABASE_URL}", "url: {env: hunter2, file: hunter2}")
    found = faults()
    assert len(found) == 3
    assert not [fault for fault in found if "hunter2" in str(fault)]


def test_a_folder_that_is_not_there_is_said_to_be(tmp_path, faults, folder):
    shutil.rmtree(folder)
    assert [(fault.problem, "node.yaml" in fault.remedy) for fault in faults()] == [("is no folder", True)]


@pytest.mark.parametrize("name", ["node", "queues", "numbers"])
def test_a_file_that_is_not_there_is_said_to_be(name, folder, faults):
    (folder / f"{name}.yaml").unlink()
    told = faults()
    assert [Path(fault.file).name for fault in told] == [f"{name}.yaml"]
    assert "No such file" in told[0].problem


def test_a_file_with_a_misspelt_name_is_not_passed_over(folder, faults):
    (folder / "queue.yaml").write_text("{}", "utf-8")
    assert [fault.remedy for fault in faults()] == ["did you mean 'queues.yaml'?"]


def test_a_line_with_the_wrong_ending_is_not_passed_over(folder, faults):
    (folder / "lines" / "gateway.yml").write_text("{}", "utf-8")
    assert [fault.remedy for fault in faults()] == ["rename it to gateway.yaml"]


def test_a_file_that_is_not_text_is_said_to_be(folder, faults):
    (folder / "store.yaml").write_bytes(b"path: \xff\xfe")
    assert [fault.problem for fault in faults()] == ["is not UTF-8 text"]


def test_two_lines_cannot_own_one_network(folder, faults):
    for name, network in (("north", "198.51.100.0/24"), ("south", "198.51.100.128/25")):
        (folder / "lines" / f"{name}.yaml").write_text(f"country: GB\nsources: [{network}]\n", "utf-8")
    assert [(Path(each.file).name, each.line) for each in faults()] == [("south.yaml", 2)]
    assert faults()[0].problem == "198.51.100.128/25 belongs to line 'north' as well (198.51.100.0/24)"


def test_an_enabled_line_needs_a_way_in(folder, faults):
    (folder / "lines" / "north.yaml").write_text("country: GB\n", "utf-8")
    assert [fault.problem for fault in faults()] == ["has no sources: no call could come from it"]
