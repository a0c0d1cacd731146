"""XML that strangers wrote."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies.base import ManifestError
from repomill.digest.dependencies.formats import xml_document


def test_prefixes_are_no_part_of_names():
    root = xml_document.parse(
        '<p:project xmlns:p="urn:p"><p:name p:id="1">a &amp; b</p:name></p:project>'
    )

    assert root.tag == "project"
    assert root.findtext("name") == "a & b"
    assert root[0].attrib == {"id": "1"}


def test_a_comment_does_not_end_a_text():
    root = xml_document.parse("<a><!-- one --><b>1<!-- two -->2<![CDATA[<3>]]></b><?go on?></a>")

    assert [(child.tag, child.text) for child in root] == [("b", "12<3>")]


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16", "x-unknown"])
def test_the_text_is_decoded_already_whatever_it_declares(encoding):
    assert xml_document.parse(f'<?xml version="1.0" encoding="{encoding}"?><a>é</a>').text == "é"


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ATTLIST a b CDATA "a default for every element">',
        '<!ENTITY % a SYSTEM "http://localhost/a.dtd"> %a;',
    ],
)
def test_declarations_are_refused(subset):
    with pytest.raises(ManifestError, match=r"^line 2 declares entities or attributes$"):
        xml_document.parse(f"\n<!DOCTYPE a [{subset}]><a>&b;</a>")


def test_a_document_type_without_declarations_is_passed_over():
    text = '<!DOCTYPE project PUBLIC "-//x" "http://localhost/x.dtd"><project>a</project>'

    assert xml_document.parse(text).text == "a"


def test_an_entity_that_nothing_declares_is_named_as_damage():
    with pytest.raises(ManifestError, match="line 1 is no XML: undefined entity"):
        xml_document.parse("<a>&nbsp;</a>")


def test_depth_is_bounded():
    deepest = xml_document.MAX_DEPTH

    assert xml_document.parse("<a>" * deepest + "</a>" * deepest).tag == "a"
    with pytest.raises(ManifestError, match="line 1 is in more than 100 elements"):
        xml_document.parse("<a>" * (deepest + 1))


@pytest.mark.parametrize(
    "text", ["", "  ", "hello", "<a>", "<a></b>", "<a/><b/>", "<a b=c/>", "\x00"]
)
def test_what_is_no_xml_is_refused_with_its_line(text):
    with pytest.raises(ManifestError, match="line 1 is no XML"):
        xml_document.parse(text)


@settings(max_examples=60, deadline=None)
@given(st.text() | st.text(alphabet="<>/ab\"='&;! []-", max_size=60).map("<a>{}</a>".format))
def test_no_text_does_anything_else_than_parse_or_be_refused(text):
    with contextlib.suppress(ManifestError):
        xml_document.parse(text)
