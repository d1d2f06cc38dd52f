"""URIs and name-addrs: RFC 3261 sections 19.1 and 20.10, RFC 3966."""

from __future__ import annotations

import pytest

from sip import uri as uri_module
from sip.errors import Malformed, MalformedHeader, MalformedUri
from sip.uri import NameAddr, Uri


def test_a_full_sip_uri_comes_apart_into_its_fields():
    uri = Uri.parse("SIPS:alice:pw@Example.COM:5061;Transport=tcp;lr?Subject=a%20b&Priority=urgent")
    assert (uri.scheme, uri.user, uri.password, uri.host, uri.port) == (
        "sips",
        "alice",
        "pw",
        "example.com",
        5061,
    )
    assert uri.params == (("transport", "tcp"), ("lr", None))
    assert uri.headers == (("Subject", "a b"), ("Priority", "urgent"))


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@example.com",
        "sip:example.com",
        "sip:alice:secret@example.com:5070;transport=tcp;lr",
        "sips:+14155550100;ext=5@gw.example.com",
        "sip:*97#@example.com",
        "sip:bob@[2001:db8::1]:5061;maddr=192.0.2.1",
        "sip:carol@example.com?Subject=next%20meeting&X-Y=%0D%0Aevil",
        "tel:+12015550123;phone-context=example.com",
        "mailto:someone@example.com",
    ],
)
def test_a_uri_is_written_as_it_was_read(text):
    assert str(Uri.parse(text)) == text
    assert Uri.parse(str(Uri.parse(text))) == Uri.parse(text)


def test_an_ipv6_host_is_held_without_brackets_in_its_shortest_form():
    uri = Uri.parse("sip:bob@[2001:0DB8:0:0:0:0:0:1]:5061")
    assert uri.host == "2001:db8::1"
    assert str(uri) == "sip:bob@[2001:db8::1]:5061"
    assert uri.aor == "sip:bob@[2001:db8::1]"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "sip:@example.com",
        "alice@example.com",
        "<sip:alice@example.com>",
        "sip:alice@",
        "sip:alice@exa mple.com",
        "sip:alice@example.com:0",
        "sip:alice@example.com:65536",
        "sip:alice@example.com:99999999999999999999",
        "sip:alice@example.com;x=a b",
        "sip:alice@example.com;=x",
        "sip:alice@2001:db8::1",
        "sip:alice@[2001:zz::1]",
        "sip:alice@[::1",
        "sip:al%ice@example.com",
        "sip:alice@example.com;a=%4",
        "sip:alice@example.com\r\nEvil: yes",
        "sip:al\x00ice@example.com",
        "sip:alice@example.com;\x7f",
        "tel:",
        "tel:+",
        "tel:alice",
        "sip:" + "a" * 3000 + "@example.com",
        "sip:example.com" + ";a" * 100,
        "sip:" + "é" * 1000 + "@example.com",
    ],
)
def test_what_is_no_uri_is_refused(text):
    with pytest.raises(MalformedUri) as caught:
        Uri.parse(text)
    assert caught.value.sip_status == 400


def test_escapes_that_are_not_needed_are_undone_and_all_others_stay():
    assert Uri.parse("sip:%61lice@example.com") == Uri.parse("sip:alice@example.com")
    assert Uri.parse("sip:%2B49301@example.com").user == "+49301"
    assert Uri.parse("sip:a%40b%3ac@example.com").user == "a%40b%3Ac"
    assert Uri.parse("sip:j%c3%b6rg@example.com") == Uri.parse("sip:jörg@example.com")


def test_the_plain_words_of_a_user_hold_no_control_characters():
    assert Uri.parse("sip:J%C3%B6rg%20M%0d%0a@example.com").user_text == "Jörg M"


def test_a_uri_from_plain_words_cannot_be_broken_out_of():
    uri = Uri.sip("eve@evil.example>\r\nX: y", "Example.com", 5080, transport="tcp")
    assert str(uri) == "sip:eve%40evil.example%3E%0D%0AX%3A%20y@example.com:5080;transport=tcp"
    assert Uri.parse(str(uri)) == uri


def test_a_telephone_number_is_held_without_its_visual_separators():
    uri = Uri.parse("tel:+1-(201)-555.0123;isub=1411")
    assert (uri.scheme, uri.user, uri.host) == ("tel", "+12015550123", "")
    assert uri.param("isub") == "1411" and uri.aor == "tel:+12015550123"


def test_a_scheme_nobody_knows_is_kept_as_it_is():
    uri = Uri.parse("soap.beep://192.0.2.103:3002")
    assert (uri.scheme, uri.user, uri.host) == ("soap.beep", "//192.0.2.103:3002", "")


def test_parameters_are_asked_for_by_lower_case_name():
    uri = Uri.parse("sip:a@h;LR;Transport=TCP")
    assert uri.param("lr") == "" and uri.has("lr")
    assert uri.param("transport") == "TCP"
    assert uri.param("maddr") is None and not uri.has("maddr")


def test_with_params_sets_replaces_and_takes_away():
    uri = Uri.parse("sip:a@h;lr;transport=tcp").with_params(transport="udp", lr=None, ob="")
    assert str(uri) == "sip:a@h;transport=udp;ob"


def test_the_address_of_record_has_neither_port_nor_parameters():
    assert Uri.parse("sips:Alice@Example.com:5061;transport=tls").aor == "sip:Alice@example.com"
    assert Uri.parse("sip:example.com").aor == "sip:example.com"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # RFC 3261 section 19.1.4
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        # RFC 3966 section 4
        ("tel:+1-201-555-0123", "tel:+1.201.555.0123"),
    ],
)
def test_equivalent_uris_match_both_ways(one, other):
    assert Uri.parse(one).matches(Uri.parse(other)) and Uri.parse(other).matches(Uri.parse(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # RFC 3261 section 19.1.4
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;user=phone"),
        ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
        ("tel:+12015550123", "tel:+12015550123;isub=1"),
    ],
)
def test_different_uris_do_not_match(one, other):
    assert not Uri.parse(one).matches(Uri.parse(other))


def test_the_memory_of_short_uris_is_bounded():
    for number in range(5000):
        Uri.parse(f"sip:{number}@flood.example.com")
    assert uri_module._parse_short.cache_info().currsize == 2048


# --- name-addr ------------------------------------------------------------------------------------------


def test_a_name_addr_comes_apart_into_name_uri_and_parameters():
    address = NameAddr.parse('"Bob \\"B\\" B." <sip:bob@example.com;lr>;tag=a6c85cf;Q=0.7;ob')
    assert address.display == 'Bob "B" B.'
    assert address.uri == Uri.parse("sip:bob@example.com;lr")
    assert address.tag == "a6c85cf"
    assert address.param("q") == "0.7" and address.param("ob") == "" and address.param("x") is None


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("Alice <sip:a@h>", "Alice"),
        ("Alice Example-Smith<sip:a@h>", "Alice Example-Smith"),
        ("Jörg Müller <sip:a@h>", "Jörg Müller"),
        ("客户 <sip:a@h>", "客户"),
        ("Alice (home) <sip:a@h>", "Alice (home)"),
        ("  <sip:a@h>  ", ""),
        ('"" <sip:a@h>', ""),
        ("sip:a@h", ""),
        ('"Evil\x1b[2J\u2028name" <sip:a@h>', "Evil[2Jname"),
    ],
)
def test_names_come_with_and_without_quotes_in_any_script(text, display):
    address = NameAddr.parse(text)
    assert (address.display, str(address.uri)) == (display, "sip:a@h")


def test_without_brackets_parameters_belong_to_the_header_field():
    address = NameAddr.parse("sip:bob@example.com;tag=1;transport=tcp")
    assert address.uri.params == () and address.params == (("tag", "1"), ("transport", "tcp"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "<sip:a@h",
        'Bob" <sip:a@h>',
        '"Bob <sip:a@h>',
        "Bob, Alice <sip:a@h>",
        "<sip:a@h> tail",
        "<sip:a@h>;tag=a b",
        '<sip:a@h>;tag="a',
        "< sip:a@h >",
        "sip:a@h?Route=x",
        "<sip:a@h><sip:b@h>",
        "<sip:a@h>" + ";p" * 100,
        "<sip:a@h>;b<>=1",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text):
    with pytest.raises(Malformed):
        NameAddr.parse(text)


def test_an_error_knows_that_it_is_the_far_ends_and_that_no_other_line_would_do_better():
    with pytest.raises(MalformedHeader) as caught:
        NameAddr.parse("Bob, Alice <sip:a@h>")
    assert caught.value.sip_status == 400 and not caught.value.retry_elsewhere


def test_written_names_and_values_are_quoted_so_that_nothing_breaks_out():
    address = NameAddr('He said "hi"\r\nX: \\', Uri.parse("sip:a@h"), (("tag", "1"), ("x", 'a;b "c"')))
    assert str(address) == '"He said \\"hi\\"X: \\\\" <sip:a@h>;tag=1;x="a;b \\"c\\""'
    again = NameAddr.parse(str(address))
    assert again.display == 'He said "hi"X: \\' and again.param("x") == 'a;b "c"'


def test_an_instance_id_keeps_its_quotes_when_written():
    text = '<sip:a@h>;+sip.instance="<urn:uuid:f81d4fae>";reg-id=1'
    assert str(NameAddr.parse(text)) == text


def test_with_tag_sets_replaces_and_takes_away():
    address = NameAddr.parse("<sip:a@h>;x=1")
    assert str(address.with_tag("t1")) == "<sip:a@h>;x=1;tag=t1"
    assert address.with_tag("t1").with_tag("t2").tag == "t2"
    assert address.with_tag("t1").with_tag(None) == address
