import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import sbt
from repomill.digest.dependencies.base import ManifestError
from tests.digest.dependencies.commit import files

APP = "project/AppDependencies.scala"
BUILD = 'ThisBuild / scalaVersion := "2.13.16"\nlibraryDependencies ++= AppDependencies()\n'
PROPERTIES = {"project/build.properties": "sbt.version=1.10.2\n"}


def said(path, contents) -> list[tuple[str, str]]:
    found = sbt.read(path, files(contents)).dependencies
    return sorted({(str(one.scope), one.name) for one in found})


def purls(path, contents) -> list[str]:
    return sorted({one.purl for one in sbt.read(path, files(contents)).dependencies})


def of_build(text) -> list[tuple[str, str]]:
    return said("build.sbt", {"build.sbt": text})


def purls_of(text) -> list[str]:
    return purls("build.sbt", {"build.sbt": text})


def test_what_a_service_is_made_of_is_told_under_the_file_that_writes_it():
    contents = PROPERTIES | {
        "build.sbt": BUILD,
        APP: """
            import sbt._
            object AppDependencies {
              private val mongo = "2.6.0" // not the last
              val compile: Seq[ModuleID] = Seq(
                "uk.gov.hmrc"       %% s"bootstrap-backend-$play" % bootstrap,
                "com.google.guava"  %  "guava"                    % "33.2.1-jre",
                "uk.gov.hmrc.mongo" %% "hmrc-mongo-play-30"       % mongo
              )
              val test = Seq("org.scalamock" %% "scalamock" % "6.0.0").map(_ % Test)
              private lazy val bootstrap: String = "9." + minor
              private val minor = "12.0"
              val play = "play-30"
              def apply(): Seq[ModuleID] = compile ++ test
            }""",
    }
    assert purls(APP, contents) == [
        "pkg:maven/com.google.guava/guava@33.2.1-jre",
        "pkg:maven/org.scalamock/scalamock_2.13@6.0.0",
        "pkg:maven/uk.gov.hmrc.mongo/hmrc-mongo-play-30_2.13@2.6.0",
        "pkg:maven/uk.gov.hmrc/bootstrap-backend-play-30_2.13@9.12.0",
    ]
    assert ("development", "org.scalamock:scalamock") in said(APP, contents)
    assert said("build.sbt", contents) == []


def test_a_list_is_for_development_where_the_build_adds_it_so():
    contents = {
        "build.sbt": "import Deps._\nlibraryDependencies ++= core ++ tests.map(_ % Test)\n"
        "libraryDependencies += one % It",
        "project/Deps.scala": """object Deps {
            val core = Seq("g" % "core" % "1")
            val tests = Seq("g" % "tests" % "1")
            val one = "g" % "one" % "1"
            val It = "it"
        }""",
    }
    assert said("project/Deps.scala", contents) == [
        ("development", "g:one"),
        ("development", "g:tests"),
        ("runtime", "g:core"),
    ]


def test_plugins_and_all_else_of_the_builds_own_build_are_for_building():
    contents = PROPERTIES | {
        "project/plugins.sbt": """
            addSbtPlugin("org.playframework" % "sbt-plugin" % "3.0.7" exclude("org", "xml_2.12"))
            // addSbtPlugin("com.timushev.sbt" % "sbt-updates" % "0.3.4")
            libraryDependencies += "org.scalaj" %% "scalaj-http" % "2.4.2"
        """
    }
    assert purls("project/plugins.sbt", contents) == [
        "pkg:maven/org.playframework/sbt-plugin_2.12_1.0@3.0.7",
        "pkg:maven/org.scalaj/scalaj-http_2.12@2.4.2",
    ]
    assert {scope for scope, _ in said("project/plugins.sbt", contents)} == {"build"}


@pytest.mark.parametrize(
    ("properties", "purl"),
    [
        ("sbt.version=0.13.18", "pkg:maven/a/b_2.10_0.13@1"),
        ("sbt.version = 2.0.0", "pkg:maven/a/b_sbt2_3@1"),
        ("sbt.version=3.0", "pkg:maven/a/b@1"),
        ("#", "pkg:maven/a/b@1"),
        (b"\x00\xff", "pkg:maven/a/b@1"),
    ],
)
def test_the_name_of_a_plugin_tells_which_sbt_it_is_for(properties, purl):
    plugins = {"project/p.sbt": 'addSbtPlugin("a" %% "b" % "1")'}
    assert purls("project/p.sbt", plugins | {"project/build.properties": properties}) == [purl]


def test_plays_short_names_stand_for_the_artifacts_of_its_version():
    build = {"build.sbt": 'libraryDependencies ++= Seq(ws, guice, filters, specs2 % "test")'}

    def with_plugin(text):
        return purls("build.sbt", build | {"project/plugins.sbt": text})

    assert with_plugin('addSbtPlugin("org.playframework" % "sbt-plugin" % "3.0.7")') == [
        "pkg:maven/org.playframework/play-ahc-ws@3.0.7",
        "pkg:maven/org.playframework/play-filters-helpers@3.0.7",
        "pkg:maven/org.playframework/play-guice@3.0.7",
        "pkg:maven/org.playframework/play-specs2@3.0.7",
    ]
    assert with_plugin('addSbtPlugin("com.typesafe.play" % "sbt-plugin" % "2.5.19")')[:2] == [
        "pkg:maven/com.typesafe.play/filters-helpers@2.5.19",
        "pkg:maven/com.typesafe.play/play-guice@2.5.19",
    ]
    assert with_plugin("") == []
    assert with_plugin('addSbtPlugin("org.playframework" % "sbt-plugin" % sys.env("V"))') == []
    assert (
        with_plugin("""
        addSbtPlugin(sys.env.get("V") match {
          case Some("2.6") => "com.typesafe.play" % "sbt-plugin" % "2.6.20"
          case _           => "com.typesafe.play" % "sbt-plugin" % "2.5.19"
        })""")
        == []
    )


def test_the_version_of_play_itself_is_that_of_its_plugin():
    contents = {
        "build.sbt": 'libraryDependencies += "com.typesafe.play" %% "play" % '
        'play.core.PlayVersion.current % "provided"',
        "project/plugins.sbt": 'addSbtPlugin("com.typesafe.play" % "sbt-plugin" % "2.8.1")',
    }
    assert purls("build.sbt", contents) == ["pkg:maven/com.typesafe.play/play@2.8.1"]
    assert said("build.sbt", contents) == [("build", "com.typesafe.play:play")]


@pytest.mark.parametrize(
    ("configuration", "scope"),
    [
        ('"test"', "development"),
        ('"test,it"', "development"),
        ('"it,test"', "development"),
        ('"test->test"', "development"),
        ('"compile->compile;test->test"', "runtime"),
        ("IntegrationTest", "development"),
        ("sbt.Test", "development"),
        ("Benchmark", "development"),
        ("Provided", "build"),
        ("Optional", "optional"),
        ("Runtime", "runtime"),
        ('"protobuf"', "build"),
        ('s"${kind}"', "development"),
        ("f(1)", "runtime"),
    ],
)
def test_a_configuration_tells_what_a_dependency_is_for(configuration, scope):
    text = f'val kind = "test"\nlibraryDependencies += "a" % "b" % "1" % {configuration}'
    assert of_build(text) == [(scope, "a:b")]


@pytest.mark.parametrize("key", ["Test / libraryDependencies", "libraryDependencies in Test"])
def test_a_setting_of_a_configuration_counts_for_what_it_is(key):
    assert of_build(f'{key} += "a" % "b" % "1"') == [("development", "a:b")]
    assert of_build('ThisBuild / libraryDependencies += "a" % "b" % "1"') == [("runtime", "a:b")]


def test_compiler_plugins_are_for_building_and_carry_the_whole_version():
    text = """
        scalaVersion := "2.13.16"
        addCompilerPlugin("org.typelevel" % "kind-projector" % "0.13.3" cross CrossVersion.full)
        libraryDependencies ++= Seq(
          compilerPlugin("a" %% "b" % "1"),
          ("a" %% "c" % "1").cross(CrossVersion.for3Use2_13),
          ("a" %% "d" % "1").cross(CrossVersion.for2_13Use3),
          "a" % "e" % "1" cross CrossVersion.binary,
          "a" %%% "f" % "1"
        )"""
    assert purls_of(text) == [
        "pkg:maven/a/b_2.13@1",
        "pkg:maven/a/c_2.13@1",
        "pkg:maven/a/d_3@1",
        "pkg:maven/a/e_2.13@1",
        "pkg:maven/a/f@1",
        "pkg:maven/org.typelevel/kind-projector_2.13.16@0.13.3",
    ]
    assert {("build", "a:b"), ("build", "org.typelevel:kind-projector")} < set(of_build(text))


@pytest.mark.parametrize(
    ("versions", "name"),
    [
        ('scalaVersion := "3.3.6"', "b_3"),
        ('scalaVersion := "2.13.0-M5"', "b_2.13.0-M5"),
        ('scalaVersion := "2.13.1"\nThisBuild / scalaVersion := "2.13.2"', "b_2.13"),
        ('scalaVersion := "2.12.1"\nThisBuild / scalaVersion := "2.13.2"', "b"),
        ("scalaVersion := crossScalaVersions.value.head", "b"),
        ("", "b"),
    ],
)
def test_a_name_carries_the_scala_version_where_it_is_settled(versions, name):
    text = f'{versions}\nlibraryDependencies += "a" %% "b" % "1"'
    assert purls_of(text) == [f"pkg:maven/a/{name}@1"]


def test_the_scala_version_of_the_build_counts_before_that_of_samples_below_it():
    contents = PROPERTIES | {
        "build.sbt": 'scalaVersion := "3.3.6"\nlibraryDependencies += "a" %% "b" % "1"',
        "docs/sample.sbt": 'scalaVersion := "2.12.1"\nlibraryDependencies += "a" %% "c" % "1"',
    }
    assert purls("build.sbt", contents) == ["pkg:maven/a/b_3@1"]
    assert purls("docs/sample.sbt", contents) == ["pkg:maven/a/c_3@1"]


def test_a_version_is_settled_unless_it_is_a_range():
    text = """libraryDependencies ++= Seq(
        "a" % "b" % "[1.0,2.0)", "a" % "c" % "latest.release", "a" % "d" % "1.+", "a" % "e" % x,
        "a" % "f" % sys.props.getOrElse("f.version", "2.0"), "a" % "g" % s"${x}1")"""
    found = sbt.read("build.sbt", files({"build.sbt": text})).dependencies
    assert sorted((one.name, one.requirement, one.resolved) for one in found) == [
        ("a:b", "[1.0,2.0)", None),
        ("a:c", "latest.release", None),
        ("a:d", "1.+", None),
        ("a:e", "", None),
        ("a:f", "2.0", "2.0"),
        ("a:g", "", None),
    ]


def test_modules_made_from_lists_of_names_are_each_there():
    text = """
        val v = "0.14"
        val circe = Seq("circe-core", "circe-parser").map("io.circe" %% _ % v)
        val http = List("dsl", "server") map (name => "org.http4s" %% s"http4s-$name" % v)
        val jackson = Seq("j" % "core", "j" % "databind").map(_ % v) ++ Seq("j" % "cbor" % v)
        def test(m: ModuleID) = m % "test"
        libraryDependencies ++= circe ++ http ++ jackson.map { m => m.withSources() }
        libraryDependencies ++= Seq("t" % "t" % v).map(test)
    """
    assert [name for _, name in of_build(text)] == [
        "t:t",
        "io.circe:circe-core",
        "io.circe:circe-parser",
        "j:cbor",
        "j:core",
        "j:databind",
        "org.http4s:http4s-dsl",
        "org.http4s:http4s-server",
    ]


def test_functions_are_called_with_what_the_build_gives_them():
    contents = {
        "build.sbt": """
            lazy val a = project.settings(libraryDependencies ++= Libs.common("play-30"))
            lazy val b = project.settings(libraryDependencies ++= Libs.of(play = "x"))
        """,
        "project/Libs.scala": """object Libs {
            def common(play: String, scope: String = "test") = Seq(
              org(play) %% "play" % version(play),
              "g" %% s"json-$play" % "1" % scope,
              (if (play == "play-30") "g" % "pekko" % "1" else "g" % "akka" % "1")
            )
            def of(play: String) = if (play != "x") common(play) else Seq("g" % "x" % "1")
            private def org(play: String): String = play match {
              case "play-28" | "play-29" => "com.typesafe.play"
              case _ => "org.playframework"
            }
            private def version(play: String) = play match { case "play-30" => "3.0.9" }
        }""",
    }
    assert said("project/Libs.scala", contents) == [
        ("development", "g:json-play-30"),
        ("runtime", "g:pekko"),
        ("runtime", "g:x"),
        ("runtime", "org.playframework:play"),
    ]


def test_settings_in_a_function_hold_for_each_of_its_calls():
    text = """
        lazy val keys = libraryDependencies
        def module(name: String, deps: Seq[ModuleID]) =
          Project(name, file(name)).settings(keys ++= deps).dependsOn(core % "test->test")
        lazy val core = module("core", Seq("a" % "b" % "1"))
        lazy val web = module("web", Seq("a" % "c" % "1" % Test))
    """
    assert of_build(text) == [("development", "a:c"), ("runtime", "a:b")]


def test_objects_within_objects_keep_their_names_apart():
    contents = {
        "build.sbt": "import build.{Deps => D}\nlibraryDependencies ++= Deps.all",
        "project/Deps.scala": """
            object Deps {
              import Versions._
              object Akka { val version = "2"; val actor = "a" % "actor" % version }
              object Play { val version = "3"; val json = "p" % "json" % version }
              val all = Seq(Akka.actor, Play.json, "c" % "cats" % cats, Libs.inner.x)
            }
            object Versions { val cats = "4" }
            object Libs { object inner { val x = "x" % "x" % Versions.cats } }
        """,
    }
    assert purls("project/Deps.scala", contents) == [
        "pkg:maven/a/actor@2",
        "pkg:maven/c/cats@4",
        "pkg:maven/p/json@3",
        "pkg:maven/x/x@4",
    ]


def test_what_an_object_overrides_holds_for_what_it_inherits():
    contents = {
        "build.sbt": "libraryDependencies ++= AppDependencies()",
        APP: """private object AppDependencies {
            val compile = Seq("a" % "b" % "1")
            trait TestDependencies {
              lazy val scope: String = "test"
              lazy val test: Seq[ModuleID] = ???
            }
            object Test {
              def apply() = new TestDependencies {
                override lazy val test = Seq("a" % "t" % "1" % scope)
              }.test
            }
            object It extends Base
            trait Base { val deps = Seq("a" % "i" % "1" % "it") }
            def apply() = compile ++ Test() ++ It.deps
        }""",
    }
    assert said(APP, contents) == [
        ("development", "a:i"),
        ("development", "a:t"),
        ("runtime", "a:b"),
    ]


def test_what_is_only_defined_is_told_unless_nothing_names_it():
    used = 'object Deps { val a = "g" % "a" % "1"; val b = Seq(a); val dead = "g" % "dead" % "1" }'
    contents = {"build.sbt": "lazy val x = unknown(Deps.b)", "project/Deps.scala": used}
    assert said("project/Deps.scala", contents) == [("runtime", "g:a")]
    broken = contents | {"build.sbt": "lazy val x = ("}
    assert said("project/Deps.scala", broken) == [("runtime", "g:a"), ("runtime", "g:dead")]


def test_settings_that_hold_modules_for_another_purpose_add_none():
    text = """
        dependencyOverrides += "a" % "b" % "1"
        libraryDependencySchemes += "a" %% "c" % VersionScheme.Always
        mimaPreviousArtifacts := Set("a" %% "d" % "1")
        excludeDependencies ++= Seq("a" % "e")
        lazy val previous = Set("a" % "f" % "1")
        ThisBuild / mimaPreviousArtifacts := previous
        libraryDependencies += "a" % "g"
        libraryDependencies += ("a" % "h" % "1").excludeAll(ExclusionRule("x", "y"))
        libraryDependencies -= "a" % "i" % "1"
    """
    assert of_build(text) == [("runtime", "a:h")]


def test_a_module_whose_name_is_computed_is_a_problem_that_says_which():
    contents = files({"build.sbt": 'libraryDependencies += "org.acme" %% f(1) % "1"'})
    found = sbt.read("build.sbt", contents)
    assert (list(found.dependencies), list(found.problems)) == (
        [],
        ["org.acme: group or name is not written out"],
    )


def test_what_is_added_and_nothing_defines_is_a_problem():
    text = """
        libraryDependencies += unknownThing
        libraryDependencies ++= Seq(some.Deps.web % Test, some.Deps.web, "a" % "b" % "1", empty)
        libraryDependencies += otherThing % Test
        libraryDependencies ++= Nil ++ Seq.empty
        libraryDependencies ++= Seq.empty
        libraryDependencies := libraryDependencies.value
        libraryDependencies += unknownGroup % "c" % "1"
        libraryDependencies += "d" % unknownName % unknownVersion
        libraryDependencies += "e" % unknownName % "1" % "test"
        val empty = Nil
        def add(module: ModuleID) = libraryDependencies += module
        lazy val core = project.dependsOn(other % "test->test")
    """
    found = sbt.read("build.sbt", files({"build.sbt": text}))
    assert [one.name for one in found.dependencies] == ["a:b"]
    assert sorted(found.problems) == [
        "c: group or name is not written out",
        "d: group or name is not written out",
        "e: group or name is not written out",
        "nothing says what otherThing is",
        "nothing says what some.Deps.web is",
        "nothing says what unknownThing is",
    ]


@pytest.mark.parametrize(
    ("settings", "purl"),
    [
        ('scalaVersion := "2.13.1"', "pkg:maven/org.scala-lang/scala-reflect@2.13.1"),
        ("", "pkg:maven/org.scala-lang/scala-reflect"),
        (
            'scalaVersion := "2.13.1"\nThisBuild / scalaOrganization := "org.typelevel"',
            "pkg:maven/org.typelevel/scala-reflect@2.13.1",
        ),
    ],
)
def test_scala_itself_is_of_the_organization_that_is_set(settings, purl):
    text = 'libraryDependencies += scalaOrganization.value % "scala-reflect" % scalaVersion.value'
    assert purls_of(f"{settings}\n{text}\n") == [purl]


def test_a_classifier_is_part_of_the_package():
    text = """
        libraryDependencies += "a" % "b" % "1" classifier "tests"
        libraryDependencies += ("a" % "c" % "1").classifier("tests") % Test
        libraryDependencies += "a" % "d" % "1" % Test classifier unknown
    """
    assert set(purls_of(text)) == {
        "pkg:maven/a/b@1?classifier=tests",
        "pkg:maven/a/c@1?classifier=tests",
        "pkg:maven/a/d@1",
    }


def test_comments_strings_and_the_rest_of_scala_are_no_dependencies():
    text = '''
        /* "a" % "b" % "1" /* nested */ libraryDependencies += "a" % "b" % "1" */
        val doc = """ libraryDependencies += "a" % "c" % "1" ) """
        val plain = "${" + doc + "}" + '"' + '\\n' + 'symbol
        @deprecated("x", "y") implicit class Rich[T](private val m: ModuleID) extends AnyVal {
          def twice[A <: B](a: Int => String, b: => Int*)(implicit c: C): Map[A, B] = ???
          type Alias[X] = List[X]
          var n = 10 % 3 % 2
          private[this] val (x, y) = (1, 2)
        }
        enablePlugins(PlayScala); for { a <- xs; b <- ys } yield a -> b
        try { throw new Exception("x") } catch { case e: Exception if true => } finally { -1 }
        while (true) { do_it() }
        val f = new Foo[Bar](1) with Baz
        if (a) b else c
        package object p { def q() { "procedure" } }
        pomExtra := <url>http://it's.example</url>
        libraryDependencies ++= {
          val one = "1"
          if (insideCI.value) Seq("a" % "d" % one) else Nil
        }
        seq(1, 2, xs: _*)
        f { case (a, b) => a }
        sealed trait T; case class K(a: Int = 1); case object O extends T
    '''
    assert of_build(text) == [("runtime", "a:d")]


def test_rarer_scala_is_followed_as_well():
    contents = {
        "build.sbt": """package x.y
            import a.b, Other.{c => d}
            import Outer.Inner._
            type T = Map[Int, String]
            val quiet: String
            var abstractly
            case class Lib(a: Int)
            object Empty
            object Q extends a.b.C with D
            lazy val log4j = (n: String) => "l" % n % "2"
            val made = new a.b.C(1)[T] with E
            val again = new F {}
            libraryDependencies ++= Seq(log4j("api"), Lib(1), Empty("a" % "kept" % "1"))
            libraryDependencies += ("a" % "conf" % "1").withConfigurations(Some("test"))
            libraryDependencies ++= Seq("x").map(_ => "a" % "under" % "1") ++ inner ++ c
            libraryDependencies += "a" % "money" % s"1$$2"
            libraryDependencies += "a" % "maybe" % (v match { case x if y => "1" case _ => "2" })
            libraryDependencies ++= (if (a) then Seq("a" % "then" % "1"); else Nil)
            libraryDependencies ++= Seq("a" % "case" % "1") collect { case m => m }
            libraryDependencies ++= "b" % "post" % "1" :: Nil distinct
            libraryDependencies ++= xs.map { x => val y = "1"; "b" % "block" % y }
            libraryDependencies ++= Seq("b" % "all" % "1").map(quiet).map(f(2)).cross
            libraryDependencies += ("b" % "x" % "1") cross 1
            libraryDependencies += nothing(1, by = "b" % "named" % "1")
            libraryDependencies ++= p(1)(2) ++ Outer.Inner.inner.tail
            libraryDependencies ++= Seq() ++ Seq("1") - 1
            def nothing(by: ModuleID) = by
            def none() = 1
            val n = none(1)
            x match y
            if (a) b; else
            @a final
        """,
        "project/O.scala": """
            object Outer { object Inner { val inner = Seq("i" % "inner" % "1") } }
            object Other { val c = "o" % "c" % "1"; class Outer }
            class Other
        """,
    }
    assert [name for _, name in said("build.sbt", contents)] == [
        "a:conf",
        "a:case",
        "a:kept",
        "a:maybe",
        "a:money",
        "a:then",
        "a:under",
        "b:all",
        "b:named",
        "b:post",
        "b:x",
        "l:api",
    ]
    assert [name for _, name in said("project/O.scala", contents)] == ["i:inner", "o:c"]


def test_a_build_below_another_is_its_own_where_it_has_a_project_folder():
    contents = {
        "build.sbt": 'scalaVersion := "3.1.0"',
        "project/Deps.scala": 'object Deps { val x = "a" % "outer" % "1" }',
        "module/build.sbt": "libraryDependencies += Deps.x",
        "sample/project/plugins.sbt": 'addSbtPlugin("a" % "b" % "1")',
        "sample/project/Deps.scala": 'object Deps { val x = "a" % "inner" % "1" }',
        "sample/build.sbt": "libraryDependencies += Deps.x % Test",
        "project/project/plugins.sbt": 'addSbtPlugin("a" % "meta" % "1")',
        "src/sbt-test/one/build.sbt": "libraryDependencies += Deps.x % Test",
    }
    assert said("project/Deps.scala", contents) == [("runtime", "a:outer")]
    assert said("sample/project/Deps.scala", contents) == [("development", "a:inner")]
    assert said("project/project/plugins.sbt", contents) == [("build", "a:meta")]


def test_scala_files_are_manifests_in_the_folder_project_alone():
    claimed = ["project/Deps.scala", "sub/project/Deps.scala", "a.sbt", "src/b/c.sbt"]
    others = [
        "app/project/View.scala",
        "src/main/project/X.scala",
        "Deps.scala",
        "project/a/B.scala",
    ]
    assert [path for path in claimed + others if sbt.claims(path)] == claimed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Seq(\n[1)", "line 2: ) closes nothing"),
        ("val x = {\n", "{ of line 1 is never closed"),
        ("}", "line 1: } closes nothing"),
        ("(" * 5_000 + ")" * 5_000, "build.sbt is nested too deeply"),
        ("[" * 100_000, "it has more than 30000 words"),
        (b"\x00\xff", "build.sbt is no text"),
        (" " * (129 << 10), "build.sbt is larger than 128 KiB"),
        ("/* " * 9, None),
        ('val x = """', None),
        ("", None),
    ],
)
def test_what_is_no_scala_is_refused_by_name(text, message):
    contents = files({"build.sbt": text})
    if message is None:
        assert list(sbt.read("build.sbt", contents).dependencies) == []
    else:
        with pytest.raises(ManifestError) as raised:
            sbt.read("build.sbt", contents)
        assert str(raised.value) == message


def test_a_damaged_file_costs_only_itself():
    contents = {"build.sbt": 'libraryDependencies += "a" % "b" % "1"', "other.sbt": ")"}
    assert of_build(contents["build.sbt"]) == said("build.sbt", contents)
    with pytest.raises(ManifestError):
        said("other.sbt", contents)


PRODUCT = 'libraryDependencies ++= a.map(x => "g" % x % a)'


@pytest.mark.parametrize(
    "text",
    [
        """def f(x: String) = g(x + "a") ++ g(x + "b")
        def g(x: String) = f(x) ++ f(x + "d")
        val y = f("")""",
        "\n".join([*(f"val a{n + 1} = a{n} ++ a{n}" for n in range(2_000)), "val z = a2000"]),
        'val a = Seq("' + '", "'.join(map(str, range(2_000))) + '")\n' + PRODUCT,
        "import a._\n" * 400 + "libraryDependencies += x\n" * 400,
    ],
)
def test_what_would_take_too_long_is_given_up(text):
    with pytest.raises(ManifestError, match=r"nested too deeply|too intricate"):
        sbt.read("build.sbt", files({"build.sbt": text}))


def test_definitions_may_go_in_circles():
    text = """
        val a: Seq[ModuleID] = b ++ Seq("x" % "y" % "1")
        val b: Seq[ModuleID] = a
        object O extends P; trait P extends O { val q = O.q }
        libraryDependencies ++= a ++ O.q ++ O.z
        val s = s"$s$t"; val t = s
    """
    assert of_build(text) == [("runtime", "x:y")]


def test_names_that_are_none_and_versions_without_end_are_left_out():
    text = f"""libraryDependencies ++= Seq("a b" % "c" % "1", "a" % "" % "1", "a" % "c/d" % "1",
        "a" % "ok" % "{"1" * 201}", "{"a" * 201}" % "b" % "1")"""
    assert of_build(text) == [("runtime", "a:ok")]
    assert purls_of(text) == ["pkg:maven/a/ok"]


PIECES = st.sampled_from(
    [
        *('"a"', " % ", " %% ", "libraryDependencies", " += ", "Seq(", ")", "{", "}", "[", "]"),
        *(
            "val x = ",
            "def f(y: String) = ",
            "object O {",
            " match {",
            "case ",
            " => ",
            "if (",
            "_",
        ),
        *(
            ".map",
            "import O._",
            "new T {",
            "else ",
            "Test",
            ",",
            's"$x"',
            "/*",
            "'",
            "`",
            "x",
            "\n",
        ),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES | st.text(max_size=3), max_size=60).map("".join), st.text())
def test_any_text_is_read_or_refused(text, properties):
    contents = files(
        {"build.sbt": text, "project/D.scala": text, "project/build.properties": properties}
    )
    for path in ("build.sbt", "project/D.scala"):
        try:
            sbt.read(path, contents)
        except (ManifestError, ValueError):
            continue
