"""What Gradle's scripts declare, in Groovy and in Kotlin."""

import contextlib
import gc
import tracemalloc
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import gradle
from repomill.digest.dependencies.base import ManifestError, Scope
from tests.digest.dependencies.commit import files

CATALOG = """
[versions]
spring-boot = "3.2.1"
kotlin = { strictly = "[1.9, 2.0[", prefer = "1.9.22" }
odd = { reject = "1" }

[libraries]
spring-boot-starter = { module = "org.springframework.boot:starter", version.ref = "spring-boot" }
spring_web = { group = "org.springframework", name = "spring-web" }
guava = "com.google.guava:guava:33.0.0-jre"
stdlib = { module = "org.jetbrains.kotlin:kotlin-stdlib", version.ref = "kotlin" }
bad = 5
worse = "guava"

[bundles]
web = ["spring-boot-starter", "spring_web", "missing", 5]

[plugins]
boot = { id = "org.springframework.boot", version.ref = "spring-boot" }
local = { id = "my.conventions" }
spotless = "com.diffplug.spotless:6.25.0"
"""


def said_of(text, path="build.gradle", **tree):
    others = {name.replace("__", "/").replace("_dot_", "."): one for name, one in tree.items()}
    return gradle.read(path, files({path: text, **others}))


def read(text, path="build.gradle", tree=None):
    said = gradle.read(path, files({path: text, **(tree or {})}))
    return {(one.scope.value, f"{one.name} {one.requirement}".strip()) for one in said.dependencies}


def within(*lines):
    return "dependencies {\n" + "\n".join(lines) + "\n}\n"


def test_every_script_is_a_manifest():
    assert gradle.claims("any/where/build.gradle.kts")


@pytest.mark.parametrize(
    ("configuration", "scope"),
    [
        ("implementation", "runtime"),
        ("api", "runtime"),
        ("compile", "runtime"),
        ("runtimeOnly", "runtime"),
        ("releaseImplementation", "runtime"),
        ("compileOnly", "build"),
        ("annotationProcessor", "build"),
        ("kapt", "build"),
        ("kspAndroid", "build"),
        ("checkstyle", "build"),
        ("testImplementation", "development"),
        ("androidTestImplementation", "development"),
        ("integrationTestRuntimeOnly", "development"),
        ("kaptTest", "development"),
        ("developmentOnly", "development"),
        ("debugImplementation", "development"),
    ],
)
def test_a_configuration_tells_what_for(configuration, scope):
    assert read(within(f"{configuration} 'a:b:1'")) == {(scope, "a:b 1")}


@pytest.mark.parametrize(
    "line",
    [
        "api 'a:b:1'",
        'api "a:b:1"',
        "api('a:b:1')",
        "api ('a:b:1') { exclude group: 'x', module: 'y' }",
        "api('a:b:1') {\n  transitive = false\n}",
        "api group: 'a', name: 'b', version: '1'",
        "api([group: 'a', name: 'b', version: '1'])",
        'api(group = "a", name = "b", version = "1")',
        'api("a", "b", "1")',
        '"api"("a:b:1")',
        'add("api", "a:b:1")',
        'dependencies.add("api", "a:b:1")',
        "api platform('a:b:1')",
        'api(enforcedPlatform("a:b:1"))',
        'api(create("a:b:1"))',
        'api(listOf("a:b:1"))',
        "api 'a:b:' + '1'",
        "api 'a:b:1', project(':c')",
        "api 'a:b:1', { transitive = false }",
        "api /* 'c:d:2' */ 'a:b:1' // 'e:f:3'",
        "api(\n  'a:b:1'\n)",
        "if (project.hasProperty('x')) { api 'a:b:1' }",
        "if (x) api 'a:b:1'",
        "['a:b:1'].each { api it }",
        "['a:b:1'].each { one ->\n api(one)\n }",
        "['a:b:1'].each { one -> api one }",
        'when (x) { "y" -> api("a:b:1") }',
        "api('a:b') { version { require '1' } }",
        'api("a:b") { version { prefer("1") } }',
        "api '''a:b:1'''",
        "api a.b.c",
        "api(listed)",
        "api mapped",
        "api deep['er'].one",
        "api kotlinMap['one']",
        "api(of.some as String)",
        "api x('a:b:1'), 'a:b:1'",
    ],
)
def test_a_module_is_written_in_many_ways(line):
    more = """
    ext {
        listed = ['a:b:1']
        mapped = [group: 'a', name: 'b', version: '1']
        deep = [er: [one: 'a:b:1']]
        kotlinMap = mapOf("one" to "a:b:1")
        of.some = 'a:b:1'
        set('a.b.c', "a:b:1")
    }
    """

    assert read(within(line) + more) == {("runtime", "a:b 1")}


@pytest.mark.parametrize(
    "line",
    [
        "api project(':c')",
        "api(projects.core.model)",
        "api subprojects",
        "project(':c')",
        "api files('libs/a.jar')",
        "api gradleApi()",
        "api sourceSets.main.output",
        "api configurations.other",
        "api 'a jar of ours'",
        "api",
        "api = 'a:b:1'",
        "val x = 'a:b:1'",
        "exclude group: 'a', module: 'b'",
        "constraints { api 'a:b:1' }",
        "components.all { x 'a:b:1' }",
        "api(kotlin())",
        "api({ })",
    ],
)
def test_not_everything_is_a_module(line):
    said = said_of(within(line))

    assert not list(said.dependencies)


@pytest.mark.parametrize("line", ["api project(':c')", "api subprojects", "project(':c')"])
def test_projects_of_the_build_are_no_problem(line):
    assert not list(said_of(within(line)).problems)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("api unknown", "api unknown"),
        ("api libs.missing", "api libs.missing"),
        ('api "a:${b}:1"', "api a:${b}:1"),
        ("api group: 'a', name: b()", "api a:"),
        ("api Deps.junit(1)", "api Deps.junit"),
        ("api a[1]", "api a"),
        ('api "https://me:pass@e.example/o.jar"', "api https://e.example/o.jar"),
        ("api 'a:b:https://e.example/o.jar'", "api a:b:https://e.example/o.jar"),
        ("api 'me:pass@e.example/o.jar'", "api e.example/o.jar"),
        (f"api 'a:b:{'1' * 1000}'", "api a:b:1"),
        ("api provider { 1 }.get()", "api provider"),
        ("api 'a:' - b", "api a:"),
        ('api("a", x)', None),
        ('api(kotlin("$x"))', "api kotlin:${x}"),
    ],
)
def test_what_nothing_explains_is_told(line, named):
    said = said_of(within(line), gradle__libs_dot_versions_dot_toml=CATALOG)

    assert not list(said.dependencies)
    assert "pass@" not in str(said.problems)
    assert any(str(named) in problem for problem in said.problems) == bool(named) or not named


def test_the_definition_of_a_function_declares_nothing():
    lines = [
        'fun mine(what: Any) {\n  add("mine", what)\n}',
        'private fun own(what: Any) = add("own", what)',
        'mine("a:b:1")',
    ]
    said = said_of(within(*lines), "build.gradle.kts")

    assert [one.name for one in said.dependencies] == ["a:b"]
    assert said.problems == []


def test_of_many_that_nothing_explains_some_are_told():
    said = said_of(within(*(f"api u{number}" for number in range(90))))

    assert len(said.problems) == 20


@pytest.mark.parametrize(
    "assignment",
    [
        "def v = '1'",
        "final String v = '1'",
        "ext.v = '1'",
        "ext['v'] = '1'",
        "project.ext.v = '1'",
        "ext { v = '1' }",
        "ext { set('v', '1') }",
        'val v: String = "1"',
        'val v by extra("1")',
        'val v by extra { "1" }',
        'extra["v"] = "1"',
        'val w = "1"\nval v = w',
        "def v = (1)",
        "def v = '1'.trim()",
        "def v = property('w')\next.w = '1'",
        "def v = '1' as String",
        "def v =\n  '1'",
        "publishing { thing { v = '2' } }\nv = '1'",
        "if (v == '2') { }\ndef v = '1'",
    ],
)
def test_a_version_comes_from_where_it_is_assigned(assignment):
    assert read(assignment + "\n" + within('api "a:b:$v"')) == {("runtime", "a:b 1")}
    assert read(within('api "a:b:${v}"') + assignment) == {("runtime", "a:b 1")}


@pytest.mark.parametrize(
    ("written", "requirement"),
    [
        ("$versions.one", "1"),
        ("${versions.one}", "1"),
        ("${versions['one']}", "1"),
        ('${rootProject.extra["two"]}', "2"),
        ("$two.Final", "2.Final"),
        ("$fromFile", "3"),
        ("$unknown", "${unknown}"),
        ("$unknown.Final", "${unknown.Final}"),
        ("${call()}", "${call()}"),
        ("${call(}", "${call(}"),
        ("${round}", "${trip}"),
        ("\\$two", "$two"),
        ("1.+", "1.+"),
        ("[1,2)", "[1,2)"),
    ],
)
def test_strings_hold_expressions(written, requirement):
    text = 'ext.versions = [one: \'1\']\next.two = 2\next.round = "$trip"\next.trip = "$round"\n'
    tree = {"gradle.properties": "# of the build\nfromFile = 3\n", "settings.gradle": ""}

    found = read(text + within(f'api "a:b:{written}"'), tree=tree)

    assert found in ({("runtime", f"a:b {requirement}")}, {("runtime", "a:b ${round}")})


def test_single_quotes_hold_no_expressions():
    assert read("def v = '1'\n" + within("api 'a:b:$v'")) == {("runtime", "a:b $v")}


def test_values_come_from_the_root_and_from_scripts_that_are_applied():
    tree = {
        "settings.gradle": "include 'app'",
        "gradle.properties": "two=2\nown=0",
        "app/gradle.properties": "own=5",
        "build.gradle": "ext.one = '1'\napply from: \"$rootDir/gradle/versions.gradle\"",
        "gradle/versions.gradle": "ext { three = '3' }\napply from: 'versions.gradle'",
        "app/local.gradle": "ext.four = '4'",
    }
    text = "apply(from = 'local.gradle')\napply plugin: 'java'\n" + within(
        *(f'api "a:{name}:${name}"' for name in ("one", "two", "three", "four", "own"))
    )

    assert {what for _scope, what in read(text, "app/build.gradle", tree)} == {
        "a:one 1",
        "a:two 2",
        "a:three 3",
        "a:four 4",
        "a:own 5",
    }


def test_a_catalog_names_libraries_bundles_and_versions():
    tree = {"settings.gradle.kts": "", "gradle/libs.versions.toml": CATALOG}
    lines = [
        "implementation(libs.bundles.web)",
        "testImplementation(libs.guava.get())",
        "implementation(platform(libs.stdlib))",
        "implementation(variantOf(libs.guava) { classifier('x') })",
        'api("a:b:${libs.versions.spring.boot.get()}")',
        "api(libs.bundles.missing)",
    ]

    assert read(within(*lines), "app/build.gradle.kts", tree) == {
        ("runtime", "org.springframework.boot:starter 3.2.1"),
        ("runtime", "org.springframework:spring-web"),
        ("development", "com.google.guava:guava 33.0.0-jre"),
        ("runtime", "com.google.guava:guava 33.0.0-jre"),
        ("runtime", "org.jetbrains.kotlin:kotlin-stdlib [1.9, 2.0["),
        ("runtime", "a:b 3.2.1"),
    }


def test_settings_declare_catalogs():
    tree = {
        "gradle/other.toml": CATALOG,
        "settings.gradle.kts": """
        dependencyResolutionManagement {
          versionCatalogs {
            create("deps") {
              from(files("gradle/other.toml"))
              version("junit", "5.10.0")
              library("junit", "org.junit", "junit").versionRef("junit")
              library("mockito", "org.mockito", "mockito").version("5")
              library("plain", "a:b:1")
              library("none", "nothing")
              bundle("tests", listOf("junit", "mockito"))
              bundle("odd")
              plugin("shadow", "com.gradleup.shadow").version("8")
            }
            gone { from("x:y:1") }
          }
        }
        """,
    }
    text = "plugins { alias(deps.plugins.shadow) }\n" + within(
        "api(deps.guava)", "api(deps.bundles.tests)", "api(deps.plain)"
    )

    assert read(text, "build.gradle.kts", tree) == {
        ("build", "com.gradleup.shadow 8"),
        ("runtime", "com.google.guava:guava 33.0.0-jre"),
        ("runtime", "org.junit:junit 5.10.0"),
        ("runtime", "org.mockito:mockito 5"),
        ("runtime", "a:b 1"),
    }
    said = gradle.read("build.gradle.kts", files({"build.gradle.kts": text, **tree}))
    assert said.problems == ["no version catalog at x:y:1"]


def test_settings_add_to_the_catalog_that_there_is_without_them():
    tree = {
        "gradle/libs.versions.toml": CATALOG,
        "settings.gradle": """
        dependencyResolutionManagement { versionCatalogs {
          libs { library("prog", "g:prog:1.0"); library("guava", "g:guava:2") }
          libs { library("boot", "g", "boot").versionRef("spring-boot") }
          other { library("prog", "o:prog:1.0") }
        } }
        """,
    }
    lines = ["api libs.prog", "api libs.boot", "api libs.guava", "api libs.bundles.web"]

    assert read(within(*lines, "api other.prog", "api other.guava"), tree=tree) == {
        ("runtime", "g:prog 1.0"),
        ("runtime", "g:boot 3.2.1"),
        ("runtime", "g:guava 2"),
        ("runtime", "org.springframework.boot:starter 3.2.1"),
        ("runtime", "org.springframework:spring-web"),
        ("runtime", "o:prog 1.0"),
    }


def test_a_catalog_is_found_where_there_are_no_settings():
    tree = {"gradle/libs.versions.toml": CATALOG}

    assert read(within("api libs.guava"), "app/build.gradle", tree) == {
        ("runtime", "com.google.guava:guava 33.0.0-jre")
    }


def test_a_damaged_catalog_costs_what_it_says():
    commit = files(
        {
            "build.gradle": within("api 'a:b:1'", "api libs.guava"),
            "gradle/libs.versions.toml": "[versions",
            "gradle.properties": b"\x00\xff",
        }
    )

    said = gradle.read("build.gradle", commit)

    assert [one.name for one in said.dependencies] == ["a:b"]
    assert [problem.partition(":")[0] for problem in said.problems] == [
        "gradle.properties cannot be read",
        "gradle/libs.versions.toml cannot be read",
        "nothing says what api libs.guava is",
    ]


def test_plugins_with_a_version_are_for_building():
    tree = {
        "settings.gradle": "pluginManagement { plugins { id 'managed.one' version \"$pv\" } }",
        "gradle.properties": "pv=4",
        "gradle/libs.versions.toml": CATALOG,
    }
    text = """
    plugins {
        id 'java'
        `java-library`
        id 'org.sonarqube' version '6.3' apply false
        id("a.b").version("7")
        id("c.d") version(pv)
        id 'managed.one'
        id 'local.conventions'
        kotlin("jvm") version "1.9"
        alias(libs.plugins.boot)
        alias libs.plugins.spotless
        alias(libs.plugins.local)
        alias(libs.plugins.missing)
    }
    gradlePlugin { plugins { mine { id = 'my.own' } } }
    """

    assert read(text, tree=tree) == {
        ("build", "org.sonarqube 6.3"),
        ("build", "a.b 7"),
        ("build", "c.d 4"),
        ("build", "managed.one 4"),
        ("build", "org.jetbrains.kotlin.jvm 1.9"),
        ("build", "org.springframework.boot 3.2.1"),
        ("build", "com.diffplug.spotless 6.25.0"),
    }


def test_a_plugin_is_where_its_marker_is():
    [plugin] = said_of("plugins { id 'org.sonarqube' version '6.3' }").dependencies

    assert plugin.purl == "pkg:maven/org.sonarqube/org.sonarqube.gradle.plugin@6.3"


def test_the_class_path_of_the_script_is_for_building():
    text = "buildscript { dependencies { classpath 'a:b:1'\n implementation 'c:d:2' } }"

    assert read(text) == {("build", "a:b 1"), ("build", "c:d 2")}


def test_what_is_only_managed_is_no_dependency():
    text = """
    dependencyManagement {
        dependencies { dependency 'a:b:1'
            dependencySet(group: 'a', version: '1') { entry 'c' } }
    }
    shadowJar { dependencies { exclude(dependency('a:d:1')) } }
    bootJar { layered { dependencies { intoLayer("application") } } }
    """

    said = said_of(text)

    assert not said.dependencies
    assert not said.problems


@pytest.mark.parametrize(
    "block",
    [
        "dependencyManagement {{ imports {{ {} }} }}",
        "subprojects {{ dependencyManagement {{ testImplementation {{ imports {{ {} }} }} }} }}",
        "configure<DependencyManagementExtension> {{ imports {{ {} }} }}",
    ],
)
@pytest.mark.parametrize(
    "bom",
    [
        'mavenBom "a:bom:${bomVersion}"',
        'mavenBom("a:bom:$bomVersion") { bomProperty("a", "b") }',
        "if (isNew) { mavenBom 'a:bom:' + bomVersion }",
    ],
)
def test_a_bom_of_springs_plugin_is_for_the_build(block, bom):
    said = said_of(f"ext.bomVersion = '1'\n{block.format(bom)}")

    assert [(one.scope.value, one.requirement, one.purl) for one in said.dependencies] == [
        ("build", "1", "pkg:maven/a/bom?type=pom")
    ]


def test_blocks_of_other_projects_and_of_source_sets_count():
    text = """
    subprojects { one -> dependencies { api 'a:sub:1' } }
    allprojects { if (it.x) { dependencies { api 'a:all:1' } } }
    configure(subprojects.findAll { it.y }) { dependencies { api 'a:some:1' } }
    kotlin { sourceSets {
        commonMain.dependencies { implementation("a:main:1") }
        val commonTest by getting { dependencies { implementation("a:ct:1") } }
        named("jvmTest") { dependencies { implementation("a:jt:1") } }
    } }
    testing { suites { create("smoke") { dependencies { implementation("a:smoke:1") } } } }
    """

    assert read(text) == {
        ("runtime", "a:sub 1"),
        ("runtime", "a:all 1"),
        ("runtime", "a:some 1"),
        ("runtime", "a:main 1"),
        ("development", "a:ct 1"),
        ("development", "a:jt 1"),
        ("development", "a:smoke 1"),
    }


def test_what_extends_a_configuration_tells_what_it_is_for():
    text = """
    configurations {
        aatImplementation.extendsFrom testImplementation
        implementation.extendsFrom(tools)
        tools.extendsFrom loop
        loop.extendsFrom(loop)
        orphan
    }
    """ + within("aatRuntimeOnly 'a:b:1'", "loop 'a:c:1'", "orphan 'a:d:1'", "x configurations.y")

    assert read(text) == {
        ("development", "a:b 1"),
        ("runtime", "a:c 1"),
        ("build", "a:d 1"),
    }


def test_scripts_below_tell_what_the_roots_configurations_are_for():
    tree = {
        "app/build.gradle": within(
            "implementation configurations.common", "testImplementation configurations.mocks"
        ),
        "bad/build.gradle": "{" * 200,
    }
    text = "subprojects {" + within("common 'a:b:1'", "mocks 'a:c:1'", "tool 'a:d:1'") + "}"

    assert read(text, tree=tree) == {
        ("runtime", "a:b 1"),
        ("development", "a:c 1"),
        ("build", "a:d 1"),
    }


def test_a_classifier_and_an_extension_are_part_of_the_package():
    said = said_of(within("api 'a:b:1:all@zip'", "api group: 'a', name: 'c', classifier: 'x'"))

    assert [one.purl for one in said.dependencies] == [
        "pkg:maven/a/b?classifier=all&type=zip",
        "pkg:maven/a/c?classifier=x",
    ]


def test_a_strict_version_is_settled():
    said = said_of(
        within("api 'a:b:1!!'", "api('a:c') { version { strictly '2' } }", "api 'a:d:3'")
    )

    assert [(one.requirement, one.resolved) for one in said.dependencies] == [
        ("1!!", "1"),
        ("2!!", "2"),
        ("3", None),
    ]


def test_a_lock_file_settles_versions():
    lock = """# This is a Gradle generated file for dependency locking.
a:b:1.5=compileClasspath,runtimeClasspath
a:c:1=runtimeClasspath
a:c:2=testRuntimeClasspath
a:d:1=x
a:d:2=y
empty=annotationProcessor
"""
    text = within(
        "api 'a:b:1.+'", "api 'a:c'", "testImplementation 'a:c'", "api 'a:d'", "api 'a:e'"
    )
    said = gradle.read("x/build.gradle", files({"x/build.gradle": text, "x/gradle.lockfile": lock}))

    assert said.locked_by == "x/gradle.lockfile"
    assert [(one.name, one.scope, one.resolved) for one in said.dependencies] == [
        ("a:b", Scope.RUNTIME, "1.5"),
        ("a:c", Scope.RUNTIME, "1"),
        ("a:c", Scope.DEVELOPMENT, "2"),
        ("a:d", Scope.RUNTIME, None),
        ("a:e", Scope.RUNTIME, None),
    ]


def test_a_damaged_lock_file_is_told():
    said = said_of(within("api 'a:b:1'"), gradle_dot_lockfile=b"\x00\xff")

    assert said.locked_by is None
    assert said.problems == ["gradle.lockfile is no text"]


def test_constants_of_spring_and_of_kotlin_are_known():
    text = within(
        "implementation platform(SpringBootPlugin.BOM_COORDINATES)",
        'implementation(kotlin("stdlib"))',
        'testImplementation(kotlin("test", "1.9"))',
    )

    assert read(text) == {
        ("runtime", "org.springframework.boot:spring-boot-dependencies"),
        ("runtime", "org.jetbrains.kotlin:kotlin-stdlib"),
        ("development", "org.jetbrains.kotlin:kotlin-test 1.9"),
    }


@pytest.mark.parametrize(
    "before",
    [
        "def x = /[\"']{2}/",
        "def x = ~/}'/",
        "def x =   /}'/",
        "x.each(/}'/, /{'/)",
        "def y = a / b / c",
        "def x = $/ dollar ' slashy } /$",
        r"def x = [" + "\n" + " " * 16 + r"/META-INF\/*.SF/, /it's/" + "\n]",
        'def x = """\n  } " \n"""',
        "def x = '''\n } ' \n'''",
        'def x = "an \\" and ${a { b } c}"',
        "def x = 'it\\'s'",
        "def x = 'no end",
        "/* a ' comment { */",
        "// a ' comment {",
        "}}})",
        "#!/usr/bin/env groovy",
        "@file:Suppress('x')",
        "`name with spaces`()",
    ],
)
def test_other_code_does_not_lead_astray(before):
    assert read(before + "\n" + within("api 'a:b:1'")) == {("runtime", "a:b 1")}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{" * 200, "more than 100 brackets within each other"),
        ("a\n" * 30_000, "more than 50000 words"),
        ('"' + "$a " * 60_000 + '"', "more than 50000 parts of strings"),
    ],
)
def test_what_is_out_of_bounds_is_refused(text, reason):
    with pytest.raises(ManifestError, match=reason):
        said_of(text)


def test_nothing_long_is_kept_of_a_script():
    tracemalloc.start()
    for number in range(20):
        said_of(f'x{number} = """{number}' + '"a' * 40_000 + "$a" * 2_000 + '"""')
    kept, _most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 2 << 20


def test_lists_that_multiply_end():
    rows = "".join(f"l{row} = [{','.join([f'l{row + 1}'] * 40)}]\n" for row in range(40))

    assert not said_of(rows + within("api l0")).dependencies


def test_values_that_multiply_stay_short():
    rows = "".join(f'v{row} = "$v{row + 1}$v{row + 1}"\n' for row in range(60))

    [one] = said_of(rows + within('api "a:b:$v0"')).dependencies

    assert len(one.requirement) <= 1000


def test_what_a_build_shares_is_forgotten_with_its_files():
    commit = files({"build.gradle": within("api 'a:b:1'")})
    gradle.read("build.gradle", commit)
    kept = weakref.ref(commit)

    del commit
    gc.collect()

    assert kept() is None


WORDS = r"""
dependencies plugins buildscript { } ( ) [ ] , . : = + - > ! ? " ' ''' ${ } $a / /* */ // $/ ; ` \
implementation api 'a:b:1' "a:b:$v" libs.x libs.bundles.x id alias version kotlin( group: name: 'x'
ext def val v = by extra each it -> if for apply from: extendsFrom subprojects strictly
"""
SCRIPTS = st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=60).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.text() | SCRIPTS | SCRIPTS.map(within), SCRIPTS, st.text() | st.just(CATALOG))
def test_nothing_but_a_manifest_error_comes_of_any_text(text, settings_text, catalog):
    tree = {
        "settings.gradle": f"versionCatalogs {{ {settings_text} }}",
        "gradle/libs.versions.toml": catalog,
        "gradle.lockfile": settings_text,
        "gradle.properties": catalog,
    }
    with contextlib.suppress(ManifestError):
        list(gradle.read("build.gradle", files({"build.gradle": text, **tree})).dependencies)
