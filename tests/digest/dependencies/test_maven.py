"""What a pom.xml, its parents and its BOMs say."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import maven
from repomill.digest.dependencies.base import ManifestError, Scope
from tests.digest.dependencies.commit import files

PARENT = """
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>uk.gov</groupId> <artifactId>parent</artifactId> <version>1.0-SNAPSHOT</version>
  <packaging>pom</packaging>
  <properties><jackson.version>2.17.2</jackson.version><level>parent</level></properties>
  <dependencyManagement><dependencies>
    {managed}
  </dependencies></dependencyManagement>
  <dependencies>{own}</dependencies>
</project>
"""
CHILD = """
<project>
  <parent><groupId>uk.gov</groupId><artifactId>parent</artifactId><version>1.0-SNAPSHOT</version>{path}</parent>
  <artifactId>child</artifactId>
  <properties><level>child</level></properties>
  <dependencies>{own}</dependencies>
</project>
"""


def dependency(name, *rest):
    group, artifact = name.split(":")
    return (
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        + "".join(rest)
        + "</dependency>"
    )


def project(*own, more=""):
    return f"<project><dependencies>{''.join(own)}</dependencies>{more}</project>"


def read(text, path="pom.xml", **others):
    said = maven.read(path, files({path: text, **others.pop("tree", {})}))
    return {one.name: one for one in said.dependencies}


def test_every_pom_xml_is_a_manifest():
    assert maven.claims("any/where/pom.xml")


def test_scopes_are_those_of_the_class_path():
    found = read(
        project(
            dependency("org.slf4j:slf4j-api", "<version>2.0.13</version>"),
            dependency("org.postgresql:postgresql", "<scope>runtime</scope>"),
            dependency("jakarta.servlet:jakarta.servlet-api", "<scope>provided</scope>"),
            dependency("com.oracle:ojdbc", "<version>1</version><scope>system</scope>"),
            dependency("org.projectlombok:lombok", "<optional>true</optional>"),
            dependency("org.mockito:mockito", "<scope> test </scope><optional>true</optional>"),
        )
    )

    assert {name: one.scope for name, one in found.items()} == {
        "org.slf4j:slf4j-api": Scope.RUNTIME,
        "org.postgresql:postgresql": Scope.RUNTIME,
        "jakarta.servlet:jakarta.servlet-api": Scope.BUILD,
        "com.oracle:ojdbc": Scope.BUILD,
        "org.projectlombok:lombok": Scope.OPTIONAL,
        "org.mockito:mockito": Scope.DEVELOPMENT,
    }
    assert found["org.slf4j:slf4j-api"].purl == "pkg:maven/org.slf4j/slf4j-api@2.0.13"
    assert found["org.postgresql:postgresql"].purl == "pkg:maven/org.postgresql/postgresql"


@pytest.mark.parametrize(
    ("version", "resolved"),
    [("[1.0]", "1.0"), ("[1.0,2.0)", None), ("(,1.0],[1.2,)", None), ("RELEASE", None)],
)
def test_only_one_version_is_settled(version, resolved):
    found = read(project(dependency("a:b", f"<version>{version}</version>")))

    assert (found["a:b"].requirement, found["a:b"].resolved) == (version, resolved)


def test_a_classifier_and_a_type_are_part_of_the_package():
    found = read(project(dependency("a:b", "<type>test-jar</type><classifier>tests</classifier>")))

    assert found["a:b"].purl == "pkg:maven/a/b?classifier=tests&type=test-jar"


def test_expressions_are_replaced_as_maven_does():
    text = f"""
    <project>
      <parent><groupId>g</groupId><artifactId>outside</artifactId><version>7</version></parent>
      <artifactId>self</artifactId>
      <properties>
        <a>${{b}}</a> <b>1.${{ c }}</b> <c>2</c> <group>deep.${{project.packaging}}</group>
        <round>${{trip}}</round> <trip>${{round}}</trip>
      </properties>
      <dependencies>
        {dependency("${group}:one", "<version>${a}</version>")}
        {dependency("${project.groupId}:two", "<version>${project.version}</version>")}
        {dependency("${pom.parent.artifactId}:three", "<version>${version}</version>")}
        {dependency("x:four", "<version>${round}</version>")}
        {dependency("x:five", "<version>${nowhere}-${c}</version>")}
        {dependency("x:six", "<version>${project.name}</version>")}
      </dependencies>
    </project>"""

    assert {name: one.requirement for name, one in read(text).items()} == {
        "g:outside": "7",
        "deep.jar:one": "1.2",
        "g:two": "7",
        "outside:three": "7",
        "x:four": "${round}",
        "x:five": "${nowhere}-2",
        "x:six": "${project.name}",
    }


def test_a_name_that_nothing_explains_is_left_out_and_told():
    said = maven.read(
        "pom.xml", files({"pom.xml": project(dependency("a:b_${scala.version}"), dependency("a:"))})
    )

    assert not said.dependencies
    assert said.problems == [
        "nothing says what is meant by a:b_${scala.version}",
        "a dependency without a name: a:",
    ]


def test_a_parent_in_the_tree_manages_and_gives():
    tree = {
        "pom.xml": PARENT.format(
            managed=dependency("a:managed", "<version>${jackson.version}</version>")
            + dependency("a:managed", "<version>later</version>")
            + dependency("${project.groupId}:sibling", "<version>${project.version}</version>")
            + dependency("a:core_${level}", "<version>3</version><scope>test</scope>"),
            own=dependency("a:given", "<version>${level}</version>")
            + dependency("a:both", "<version>1</version><scope>test</scope>"),
        )
    }
    own = [
        dependency("a:managed"),
        dependency("uk.gov:sibling"),
        dependency("a:core_child"),
        dependency("a:both", "<version>2</version>"),
        dependency("a:elsewhere"),
    ]

    found = read(CHILD.format(path="", own="".join(own)), "api/pom.xml", tree=tree)

    assert {name: (one.requirement, one.scope.value) for name, one in found.items()} == {
        "a:managed": ("2.17.2", "runtime"),
        "uk.gov:sibling": ("1.0-SNAPSHOT", "runtime"),
        "a:core_child": ("3", "development"),
        "a:both": ("2", "runtime"),
        "a:given": ("child", "runtime"),
        "a:elsewhere": ("", "runtime"),
    }


@pytest.mark.parametrize(
    ("relative_path", "where"),
    [
        ("", "pom.xml"),
        ("<relativePath>../build/parent.xml</relativePath>", "build/parent.xml"),
        ("<relativePath>../build</relativePath>", "build/pom.xml"),
        ("<relativePath/>", "anywhere/pom.xml"),
        ("<relativePath>../../../pom.xml</relativePath>", "anywhere/pom.xml"),
    ],
)
def test_a_parent_is_where_its_path_says_or_anywhere(relative_path, where):
    tree = {where: PARENT.format(managed="", own=dependency("a:given"))}

    assert list(read(CHILD.format(path=relative_path, own=""), "api/pom.xml", tree=tree)) == [
        "a:given"
    ]


def test_another_project_at_the_place_of_the_parent_is_no_parent():
    other = PARENT.format(managed="", own=dependency("a:given")).replace("1.0-SNAPSHOT", "2.0")

    assert list(read(CHILD.format(path="", own=""), "api/pom.xml", tree={"pom.xml": other})) == [
        "uk.gov:parent"
    ]


def test_parents_in_a_circle_end():
    text = CHILD.format(path="<relativePath>pom.xml</relativePath>", own=dependency("a:b")).replace(
        ">child<", ">parent<"
    )

    assert list(read(text)) == ["a:b"]


def test_a_row_of_parents_is_bounded():
    level = "<project><parent><relativePath>../pom.xml</relativePath></parent></project>"
    tree = {"a/" * depth + "pom.xml": level for depth in range(50)}

    said = maven.read("a/" * 49 + "pom.xml", files(tree))

    assert said.problems == ["more than 30 parents above it"]


def test_a_damaged_project_elsewhere_costs_nothing():
    tree = {"zzz/pom.xml": "<project", "lib/pom.xml": PARENT.format(managed="", own="")}

    assert not read(CHILD.format(path="<relativePath/>", own=""), "api/pom.xml", tree=tree)


def test_a_damaged_parent_is_told_and_costs_what_it_says():
    said = maven.read(
        "api/pom.xml",
        files({"api/pom.xml": CHILD.format(path="", own=dependency("a:b")), "pom.xml": "<project"}),
    )

    assert [one.name for one in said.dependencies] == ["a:b"]
    assert said.problems == ["its parent pom.xml cannot be read: line 1 is no XML: unclosed token"]


def bom(name, managed):
    return (
        f"<project><groupId>b</groupId><artifactId>{name}</artifactId><version>1</version>"
        f"<dependencyManagement><dependencies>{managed}</dependencies></dependencyManagement>"
        f"<dependencies>{dependency('a:b')}{dependency('a:c')}{dependency('a:d')}</dependencies>"
        "</project>"
    )


def imported(name, version="1"):
    return dependency(
        f"b:{name}", f"<version>{version}</version><type>pom</type><scope>import</scope>"
    )


def test_a_bom_in_the_tree_manages_the_first_before_the_second():
    tree = {
        "one/pom.xml": bom("one", dependency("a:c", "<version>1</version>") + imported("two")),
        "two/pom.xml": bom(
            "two",
            dependency("a:c", "<version>2</version>")
            + dependency("a:d", "<version>2</version>")
            + imported("one")
            + imported("damaged"),
        ),
        "damaged/pom.xml": "<project>",
    }
    own = imported("one") + imported("two", version="9") + imported("outside")

    found = read(bom("zero", own + dependency("a:b", "<version>0</version>")), tree=tree)

    assert {name: one.requirement for name, one in found.items()} == {
        "a:b": "0",
        "a:c": "1",
        "a:d": "2",
        "b:two": "9",
        "b:outside": "1",
    }


def test_a_parent_and_a_bom_from_elsewhere_are_for_the_build_of_the_project_that_names_them():
    boot = "<groupId>boot</groupId><artifactId>parent</artifactId><version>[2.7]</version>"
    root = PARENT.format(
        managed=imported("of-root", "${jackson.version}") + imported("${unknown}"), own=""
    ).replace("<packaging>", f"<parent>{boot}</parent><packaging>")
    child = CHILD.format(path="", own=dependency("b:own", "<type>pom</type>")).replace(
        "<properties>",
        f"<dependencyManagement><dependencies>{imported('own')}</dependencies>"
        "</dependencyManagement><properties>",
    )
    commit = files({"pom.xml": root, "api/pom.xml": child})

    of_root, of_child = (maven.read(path, commit) for path in ("pom.xml", "api/pom.xml"))

    assert [(one.scope.value, one.requirement, one.purl) for one in of_root.dependencies] == [
        ("build", "[2.7]", "pkg:maven/boot/parent@2.7?type=pom"),
        ("build", "2.17.2", "pkg:maven/b/of-root@2.17.2?type=pom"),
    ]
    assert of_root.problems == ["nothing says what is meant by b:${unknown}"]
    assert [(one.scope.value, one.purl) for one in of_child.dependencies] == [
        ("runtime", "pkg:maven/b/own@1?type=pom"),
        ("build", "pkg:maven/b/own@1?type=pom"),
    ]
    assert not of_child.problems


def profile(name, activation):
    own = dependency(f"p:{name}", "<version>${v}</version>")
    return (
        f"<profile><activation>{activation}</activation><properties><v>{name}</v></properties>"
        f"<dependencies>{own}</dependencies></profile>"
    )


DEFAULT = profile("default", "<activeByDefault>true</activeByDefault>")
UNSET = profile("unset", "<property><name>!quick</name></property>")
NOT_ON = profile("noton", "<property><name>mode</name><value>!on</value></property>")
SET = profile("set", "<property><name>quick</name></property>")
JDK = profile("jdk", "<jdk>1.8</jdk><property><name>!quick</name></property>")
OLD = profile("old", "<jdk>[1.8, 12)</jdk>") + profile("oldest", "<jdk>(,9)</jdk>")
NEW = profile("new", "<jdk>[11, )</jdk>")


@pytest.mark.parametrize(
    ("profiles", "active"),
    [
        (DEFAULT + SET + JDK, {"p:default": "default"}),
        (DEFAULT + UNSET, {"p:unset": "unset"}),
        (NOT_ON + SET, {"p:noton": "noton"}),
        (DEFAULT + OLD, {"p:default": "default"}),
        (DEFAULT + NEW, {"p:new": "new"}),
        ("<profile/>", {}),
    ],
)
def test_profiles_count_that_are_active_when_nobody_asks(profiles, active):
    found = read(project(more=f"<profiles>{profiles}</profiles>"))

    assert {name: one.requirement for name, one in found.items()} == active


def test_plugins_and_what_is_only_managed_are_no_dependencies():
    plugin = dependency("a:tool").replace("dependency>", "plugin>")
    more = (
        f"<build><plugins>{plugin}</plugins></build>"
        f"<dependencyManagement><dependencies>{dependency('a:b')}</dependencies></dependencyManagement>"
    )

    assert not read(project(more=more))


def test_the_entities_of_html_are_known():
    found = read(project(dependency("a:&eacute;&amp;b")))

    assert list(found) == ["a:é&b"]
    with pytest.raises(ManifestError, match="undefined entity"):
        read(project(dependency("a:&nothing;")))


@pytest.mark.parametrize("text", ["<model/>", "no xml", ""])
def test_what_is_no_pom_is_refused(text):
    with pytest.raises(ManifestError):
        read(text)


def test_properties_that_multiply_stay_short():
    rows = "".join(f"<p{row}>${{p{row + 1}}}${{p{row + 1}}}</p{row}>" for row in range(100))
    text = project(
        dependency("a:b", "<version>${p0}</version>"), more=f"<properties>{rows}</properties>"
    )

    assert len(read(text)["a:b"].requirement) <= 1000


WORDS = """
project parent groupId artifactId version relativePath properties dependencies dependency
dependencyManagement scope type profiles profile activation property name jdk
"""
TAGS = st.sampled_from(WORDS.split())
TREES = st.recursive(
    st.sampled_from(
        ["", "a", "${a}", "${project.version}", "import", "pom", "!a", "pom.xml", "[1,)"]
    ),
    lambda inner: st.lists(st.tuples(TAGS, inner), max_size=5).map(
        lambda rows: "".join(f"<{tag}>{text}</{tag}>" for tag, text in rows)
    ),
    max_leaves=30,
)


@settings(max_examples=60, deadline=None)
@given(st.text() | TREES.map("<project>{}</project>".format), TREES)
def test_nothing_but_a_manifest_error_comes_of_any_text(text, parent):
    with contextlib.suppress(ManifestError):
        read(text, "a/pom.xml", tree={"pom.xml": f"<project>{parent}</project>"})
