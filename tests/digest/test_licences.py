"""Which licence a text is."""

import time

import pytest
from identify.vendor.licenses import LICENSES

from repomill.digest.licences import MAX_CHARACTERS, is_licence_file, recognise

TEXTS = dict(LICENSES)
MIT = TEXTS["MIT"].partition("Permission")[2]
CROWN = (
    "The MIT License (MIT)\n\nCopyright (c) 2015 Crown Copyright (Government Digital Service)\n\n"
)


@pytest.mark.parametrize(
    "path",
    [
        *("LICENSE", "LICENCE", "licence.md", "LICENSE.txt", "COPYING", "COPYING.LESSER"),
        *("UNLICENSE", "MIT-LICENSE", "LICENSE-APACHE", "License.rst"),
    ],
)
def test_a_licence_stands_at_the_top(path):
    assert is_licence_file(path)


@pytest.mark.parametrize("path", ["vendor/LICENSE", "license.rb", "LICENSES/MIT.txt", "licensed"])
def test_a_licence_elsewhere_is_not_the_repositorys(path):
    assert not is_licence_file(path)
    assert recognise(path, TEXTS["MIT"]) is None


@pytest.mark.parametrize("spdx_id", TEXTS)
def test_a_known_text_is_recognised(spdx_id):
    assert recognise("LICENSE", TEXTS[spdx_id]) == spdx_id


@pytest.mark.parametrize(
    "opening",
    [
        CROWN,
        "MIT Licence\n\nCopyright (c) 2020 Department for International Trade\n\n",
        "Copyright 2024 Someone\n\n",
        "# The MIT License\n\nCrown Copyright (Home Office) 2019\n© 2020 others\n\n",
        "Copyright (c) 2012 A\nCopyright (c) 2013 B and the contributors\nwho came later\n\n",
    ],
)
def test_it_does_not_matter_whose_copyright_it_is(opening):
    assert recognise("LICENCE.md", f"{opening}Permission{MIT}") == "MIT"


def test_conditions_may_name_a_holder():
    text = TEXTS["BSD-3-Clause"].replace("the copyright holder nor", "Example Limited nor")
    assert recognise("LICENSE", text) == "BSD-3-Clause"


def test_line_breaks_and_marks_do_not_matter():
    text = f"{CROWN}> **Permission**{MIT}".replace("\n", "\r\n> ")
    assert recognise("LICENSE", text) == "MIT"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("The Open Government Licence (OGL) Version 3\n\nCopyright (c) 2020 Defra\n", 3),
        ("Licensed under the Open Government\nLicence v3.0.", 3),
        ("Open Government Licence for public sector information, version 2", 2),
        ("available under the terms of the Open Government 3.0 licence", 3),
        ("https://www.nationalarchives.gov.uk/doc/open-government-licence/version/1/", 1),
        ("SPDX-License-Identifier: OGL-UK-3.0", 3),
    ],
)
def test_the_open_government_licence_is_recognised_by_its_name(text, version):
    assert recognise("LICENCE", text) == f"OGL-UK-{version}.0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "All rights reserved.",
        "Under the Open Government Licence.",
        "Code under MIT, documents under the Open Government Licence v3.0",
        "Open Government Licence v3.0 " + "and so on " * 1000,
        f"{CROWN}Permission{MIT}\nThe Software shall be used for Good, not Evil.",
        f"{CROWN}Permission{MIT}\nNot for commercial use.",
        TEXTS["MIT"] + TEXTS["Apache-2.0"],
        TEXTS["MIT"].partition("The above copyright notice")[0],
        "SPDX-License-Identifier: Made-Up-1.0",
    ],
)
def test_what_is_not_certain_is_not_said(text):
    assert recognise("LICENSE", text) is None


def test_a_tag_names_a_licence():
    assert recognise("LICENSE", "SPDX-License-Identifier: gpl-3.0-OR-later") == "GPL-3.0-or-later"


def test_a_disclaimer_wrapped_at_the_word_copyright_is_no_copyright():
    text = (
        TEXTS["MIT"]
        .replace("OR\nCOPYRIGHT", "OR COPYRIGHT")
        .replace("OR COPYRIGHT", "OR\nCOPYRIGHT")
    )
    assert "\nCOPYRIGHT HOLDERS" in text
    assert recognise("LICENSE", text) == "MIT"


@pytest.mark.parametrize("unit", ["copyright ", "a ", "license\n", "-", "open government license "])
def test_a_text_made_to_take_forever_takes_a_moment(unit):
    started = time.process_time()
    assert recognise("LICENSE", unit * (10 * MAX_CHARACTERS // len(unit))) is None
    assert time.process_time() - started < 1
