import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import rubygems
from repomill.digest.dependencies.base import ManifestError
from tests.digest.dependencies.commit import files

WHITEHALL = """\
source "https://rubygems.org"
git_source(:github) { |repo| "https://github.com/#{repo}.git" }

ruby file: ".ruby-version"

gem "rails", "~> 8.1.3"
gem "rack", ">= 3", "!= 3.0.1", require: false # keep
gem "transitions", require: ["transitions", "active_record/transitions"]

group :development, :test do
  gem "pry-byebug", platforms: %i[mri windows]
end

group :cucumber, :test do
  gem("capybara", ["~> 3.0", "< 3.40"])
end

group :production do
  gem "lograge"
end
gem "rubocop-govuk", :group => :development
"""
LOCK = """\
GIT
  remote: https://github.com/rack/rack.git
  revision: 0f93fd0
  specs:
    rack (3.1.0)

PATH
  remote: .
  specs:
    mill (0.1.0)
      rails (>= 7)

GEM
  remote: https://rubygems.org/
  specs:
    lograge (0.14.0-x86_64-linux)
    lograge (0.14.0-arm64-darwin)
    nokogiri (1.18.1)
    nokogiri (1.17.0-java)
    rails (8.1.3)
      rack (>= 2)

DEPENDENCIES
  rails (~> 8.1.3)
"""
GEMSPEC = """\
require_relative "lib/mill/version"
Gem::Specification.new do |spec|
  spec.name = "mill"
  spec.version = Mill::VERSION
  spec.files = `git ls-files -z`.split("\\x0").reject { |f| f.match(%r{^spec/}) }
  %w[actionpack activesupport].each do |part|
    spec.add_dependency part, [">= #{Mill.rails}", "< 8.2"]
  end
  spec.add_runtime_dependency(%q<rails>.freeze, [">= 7"])
  spec.add_development_dependency "rspec", Mill::RSPEC
end
"""


def read(contents, path="Gemfile"):
    if isinstance(contents, str):
        contents = {path: contents}
    return rubygems.read(path, files(contents))


def told(contents):
    return [(str(one.scope), one.name, one.requirement) for one in contents.dependencies]


def names(contents):
    return [one.name for one in read(contents).dependencies]


def test_groups_give_gems_their_scope():
    assert told(read(WHITEHALL)) == [
        ("runtime", "rails", "~> 8.1.3"),
        ("runtime", "rack", ">= 3, != 3.0.1"),
        ("runtime", "transitions", ""),
        ("development", "pry-byebug", ""),
        ("development", "capybara", "~> 3.0, < 3.40"),
        ("runtime", "lograge", ""),
        ("development", "rubocop-govuk", ""),
    ]


def test_the_lock_file_beside_tells_the_versions():
    contents = read({"Gemfile": WHITEHALL + 'gem "nokogiri"', "Gemfile.lock": LOCK})
    resolved = {one.name: one.resolved for one in contents.dependencies}
    assert contents.locked_by == "Gemfile.lock"
    assert (resolved["rails"], resolved["rack"], resolved["lograge"]) == (
        "8.1.3",
        "3.1.0",
        "0.14.0",
    )
    assert resolved["nokogiri"] is None  # it differs by platform
    assert resolved["capybara"] is None


def test_gems_rb_has_a_lock_file_of_its_own_name():
    contents = read({"gems.rb": 'gem "rails"', "gems.locked": LOCK, "Gemfile.lock": ""}, "gems.rb")
    assert [one.purl for one in contents.dependencies] == ["pkg:gem/rails@8.1.3"]


def test_a_lock_file_that_cannot_be_read_is_named_and_costs_only_versions():
    contents = read({"Gemfile": 'gem "rails"', "Gemfile.lock": b"\x00\xff"})
    assert contents.problems == ("Gemfile.lock is no text",)
    assert told(contents) == [("runtime", "rails", "")]


def test_where_a_gem_comes_from_is_told_without_credentials():
    text = """
gem "a", git: "https://user:pa:ss@example.org/a.git", branch: "main"
gem "b", "~> 1", "github" => "rails/b"
gem "c", path: File.expand_path("../c", __dir__)
git "https://example.org/many.git", tag: "v1" do
  gem "d"
  gem "e", path: "e"
end
gem "f", git: FORK
"""
    contents = read(text)
    assert told(contents) == [
        ("runtime", "a", "git: https://example.org/a.git, branch: main"),
        ("runtime", "b", "~> 1, github: rails/b"),
        ("runtime", "c", "path: ../c"),
        ("runtime", "d", "git: https://example.org/many.git, tag: v1"),
        ("runtime", "e", "path: e"),
        ("runtime", "f", "git: FORK"),
    ]
    assert [one.purl for one in contents.dependencies] == [
        "pkg:gem/a?vcs_url=git%2Bhttps://example.org/a.git%40main",
        "pkg:gem/b?vcs_url=git%2Bhttps://github.com/rails/b.git",
        "pkg:gem/c",
        "pkg:gem/d?vcs_url=git%2Bhttps://example.org/many.git%40v1",
        "pkg:gem/e",
        "pkg:gem/f",
    ]


@pytest.mark.parametrize(
    ("asked", "resolved"),
    [
        ('"1.0"', "1.0"),
        ('"= 2.0.0.rc1"', "2.0.0.rc1"),
        ('["=3"]', "3"),
        ('"~> 1.0"', None),
        ('"1.0", "!= 2"', None),
        ('"1.0", path: "a"', None),
        ('">= 1.0"', None),
    ],
)
def test_a_manifest_that_names_one_version_settles_it(asked, resolved):
    for contents in ({"Gemfile": ""}, {"Gemfile": "", "Gemfile.lock": LOCK}):
        [found] = read({**contents, "Gemfile": f'gem "other", {asked}'}).dependencies
        assert found.resolved == resolved


@pytest.mark.parametrize(
    "block",
    [
        '{ |repo| "https://git.example/#{repo}.git" }',
        'do |name|\n  "https://git.example/" "#{name}.git"\nend',
        '{ |it| "#{BASE}/#{it}.git" }',
    ],
)
def test_a_source_of_the_files_own_is_followed(block):
    text = f'BASE = "https://git.example"\ngit_source(:gh) {block}\ngem "x", gh: "o/x", tag: "v1"\n'
    found = read(text)
    assert told(found) == [("runtime", "x", "git: https://git.example/o/x.git, tag: v1")]
    assert [one.purl for one in found.dependencies] == [
        "pkg:gem/x?vcs_url=git%2Bhttps://git.example/o/x.git%40v1"
    ]


@pytest.mark.parametrize(
    ("block", "given", "why"),
    [
        ("{ |repo| at(repo) }", '"o/x"', "computed"),
        ('{ |repo| repo += "/x"\n "https://e.example/#{repo}" }', '"o/x"', "computed"),
        ('{ |repo| "https://git.example/#{repo}.git" }', "at(1)", "computed"),
        ('{ |repo| "' + "#{repo}" * 90 + '" }', '"' + "o/x" * 90 + '"', "too long"),
        ('{ "https://git.example/x.git" }', '"o/x"', "computed"),
    ],
)
def test_a_source_of_the_files_own_that_is_computed_is_a_problem(block, given, why):
    found = read(f'git_source(:gh) {block}\ngem "x", gh: {given}\n')
    assert [one.purl for one in found.dependencies] == ["pkg:gem/x"]
    assert list(found.problems) == [
        f"line {2 + block.count(chr(10))}: where a gem comes from is {why}"
    ]


def test_variables_loops_and_choices_are_followed():
    text = """
VERSION = "7" "." "1"
range = ENV["RAILS"] || "~> #{VERSION}"
gem "rails", range
gem "rack", ENV.fetch("RACK", "~> 3.0"), ENV.fetch("MORE") { "< 4" }
%w[core mocks].each { |part| gem "rspec-#{part}", group: :test }
{ "a" => "1.0", b: "2.0" }.each do |name, version| gem name, version end
[["c", "1"], ["d"]].each { |(name, version)| gem name, version }
gem(VERSION == "7.1" ? "newer" : "older")
gem *["splat", "~> 1"], **options, &block
gem "number", 1.0, *ranges
gem "ruby", RUBY_VERSION
x, y = "1", "2"
gem "pair", x
"""
    assert told(read(text)) == [
        ("runtime", "rails", "~> 7.1"),
        ("runtime", "rack", "~> 3.0, < 4"),
        ("development", "rspec-core", ""),
        ("development", "rspec-mocks", ""),
        ("runtime", "a", "1.0"),
        ("runtime", "b", "2.0"),
        ("runtime", "c", "1"),
        ("runtime", "d", "version"),
        ("runtime", "newer", ""),
        ("runtime", "splat", "~> 1"),
        ("runtime", "number", "1.0, *ranges"),
        ("runtime", "ruby", "RUBY_VERSION"),
        ("runtime", "pair", "x"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('if ENV["CI"]\n gem "a"\nelse\n gem "b"\nend', ["b"]),
        ('unless ENV["CI"] then gem "a" end', ["a"]),
        ('gem "a" unless ENV["CI"] || !true', ["a"]),
        ('gem "a" if ENV.key?("CI") or not false', ["a"]),
        ('gem "a" if unknown && ENV["CI"]', []),
        ('gem "a" if "x" && "y" != "y"', []),
        ('ENV["CI"] && gem("a"); true and gem("b"); late and gem("c")', ["b", "c"]),
        (
            'if RUBY_VERSION < "3"\n gem "a"\nelsif other\n gem "b"\nelse\n gem "c"\nend',
            list("abc"),
        ),
        ('case RUBY_ENGINE\nwhen "ruby", "x" then gem "a"\nelse gem "b"\nend', ["a", "b"]),
        ('begin\n gem "a"\nrescue LoadError\n gem "b"\nensure\n gem "c"\nend', list("abc")),
        ('gem "a" rescue nil', ["a"]),
        ('(gem "a")', ["a"]),
        ('x = "a"\nx = "b" if late\ngem x', []),
        ('x = "a"\nx = "a" if ENV["NO"]\ngem x', ["a"]),
        ('x = "a"\nx += "b"\ngem x', []),
        ('def add\n gem "a"\nend', []),
        ('gem = "a"\ngem', []),
        ('other.gem "a"', []),
        ('gem :a.to_s; gem :"b"; gem "c\\"".strip; gem "d\\n"', ["a", "b", 'c"']),
        ("gem; gem nil; gem ''; gem 'a b'; gem <<~X\n a\nX\n", []),
        ('gem(("a")); gem -"b"; gem 1 <=> 2', ["a"]),
        ("install_if -> { true } do\n source('https://x') { gem 'a' }\nend", ["a"]),
    ],
)
def test_conditions_are_decided_or_both_branches_read(text, expected):
    assert names(text) == expected


def test_a_name_that_is_computed_is_told_by_its_line():
    contents = read('Dir[x].each do |f|\n  gem "x-#{f}"\nend\n')
    assert (told(contents), contents.problems) == ([], ("line 2: the name of a gem is computed",))


def test_files_that_are_evaluated_count():
    contents = read(
        {
            "Gemfile": """
eval_gemfile "gems/Gemfile.shared"
group(:test) { eval_gemfile File.join(__dir__, "gems", "Gemfile.test") }
instance_eval File.read(File.expand_path("../.Gemfile", __FILE__)) if File.exist? ".Gemfile"
eval(IO.read("#{File.dirname(__FILE__)}/gems/Gemfile.more"), binding)
eval_gemfile "../outside"
eval_gemfile "missing"
eval_gemfile local_one
""",
            "gems/Gemfile.shared": """gem "a"
eval_gemfile "../Gemfile"
eval_gemfile "Gemfile.test"
""",
            "gems/Gemfile.test": 'gem "b"\ngem "c", group: :production',
            "gems/Gemfile.more": 'gem "d"',
        }
    )
    assert sorted(told(contents)) == [
        ("development", "b", ""),
        ("runtime", "a", ""),
        ("runtime", "c", ""),
        ("runtime", "d", ""),
    ]
    assert contents.problems == (
        "line 8: eval_gemfile of what only running it would tell",
        "../outside is not in the repository",
        "missing is not in the repository",
    )


def test_a_gemspec_names_what_its_gem_needs_and_is_built_with():
    contents = read({"mill/mill.gemspec": GEMSPEC, "Gemfile.lock": LOCK}, "mill/mill.gemspec")
    assert told(contents) == [
        ("runtime", "actionpack", '">= #{Mill.rails}", < 8.2'),
        ("runtime", "activesupport", '">= #{Mill.rails}", < 8.2'),
        ("runtime", "rails", ">= 7"),
        ("development", "rspec", "Mill::RSPEC"),
    ]
    assert contents.locked_by == "Gemfile.lock"
    assert [one.resolved for one in contents.dependencies] == [None, None, "8.1.3", None]


@pytest.mark.parametrize("lock", [LOCK.replace("mill", "other"), b"\x00\xff"])
def test_a_lock_file_that_does_not_know_the_gem_is_not_its_own(lock):
    contents = read({"mill.gemspec": GEMSPEC, "Gemfile.lock": lock}, "mill.gemspec")
    assert contents.locked_by is None


def test_a_gemspec_whose_names_are_computed_says_so():
    text = "Gem::Specification.new { |s| s.add_dependency name_of(s)\n puts 1 }"
    assert read(text, "a.gemspec").problems == ("line 1: the name of a gem is computed",)


def test_a_gemfile_can_ask_for_what_its_gemspec_does():
    contents = read({"Gemfile": "gemspec\n", "mill.gemspec": GEMSPEC, "sub/x.gemspec": ""})
    assert [told(contents)[0][:2], told(contents)[-1]] == [
        ("runtime", "actionpack"),
        ("development", "rspec", "Mill::RSPEC"),
    ]
    assert not contents.problems


def test_the_gemspec_is_found_by_the_path_and_the_name_that_are_given():
    gemfile = 'group :x do\n gemspec path: "two", name: "mill", development_group: :ci\nend'
    other = 's.add_dependency "no"'
    contents = read({"Gemfile": gemfile, "two/a.gemspec": GEMSPEC, "two/b.gemspec": other})
    assert [one.name for one in contents.dependencies] == [
        "actionpack",
        "activesupport",
        "rails",
        "rspec",
    ]


@pytest.mark.parametrize(
    ("gemfile", "problem"),
    [
        ('gemspec path: "two"', "gemspec: 2 of them in two"),
        ("gemspec", "gemspec: 0 of them in ."),
        ('gemspec path: "../.."', "gemspec: 0 of them in ../.."),
    ],
)
def test_a_gemspec_that_is_not_found_is_a_problem(gemfile, problem):
    contents = read({"Gemfile": gemfile, "two/a.gemspec": "", "two/b.gemspec": ""})
    assert contents.problems == (problem,)


COMMON = """\
Gem::Specification.new do |s|
  s.add_dependency "excon", "~> 1.2", "< 2"
  s.add_development_dependency "rake"
  s.add_development_dependency "rspec", "~> 3.12"
end
"""
TAKEN_OVER = "each { |dep| s.add_development_dependency dep.name, *dep.requirement.as_list }"


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ("development_dependencies", ["rake ", "rspec ~> 3.12"]),
        ("runtime_dependencies", ["excon ~> 1.2, < 2"]),
        ("dependencies", ["excon ~> 1.2, < 2", "rake ", "rspec ~> 3.12"]),
    ],
)
def test_a_gemspec_takes_over_what_another_asks_for(methods, expected):
    text = f'common = Bundler.load_gemspec_uncached("../common.gemspec")\ncommon.{methods}'
    contents = read(
        {"a/a.gemspec": f"{text}.{TAKEN_OVER}", "common.gemspec": COMMON}, "a/a.gemspec"
    )
    assert [f"{one.name} {one.requirement}" for one in contents.dependencies] == expected
    assert {one.scope for one in contents.dependencies} == {"development"}
    assert not contents.problems


def test_a_gemfile_takes_over_some_of_what_a_gemspec_asks_for():
    text = """
common = File.expand_path("../common.gemspec", __dir__)
shared = %w[rspec excon]
group :test do
  Gem::Specification.load(common).dependencies.each do |dep|
    next unless shared.include?(dep.name)
    gem dep.name, dep.requirement
  end
end
"""
    contents = read({"api/Gemfile": text, "common.gemspec": COMMON}, "api/Gemfile")
    assert told(contents) == [
        ("development", "excon", "~> 1.2, < 2"),
        ("development", "rspec", "~> 3.12"),
    ]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("missing.gemspec", "missing.gemspec is not in the repository"),
        ("../../etc/passwd", "../../etc/passwd is not in the repository"),
        ("broken.gemspec", "broken.gemspec is no text"),
        ("odd.gemspec", "odd.gemspec: line 1: the name of a gem is computed"),
    ],
)
def test_a_gemspec_that_cannot_be_loaded_is_a_problem(path, problem):
    text = f'Bundler.load_gemspec("{path}").dependencies.{TAKEN_OVER}'
    odd = "Gem::Specification.new { |s| s.add_dependency s.x }"
    said = read({"a.gemspec": text, "broken.gemspec": b"\x00\xff", "odd.gemspec": odd}, "a.gemspec")
    assert problem in said.problems


def test_gemspecs_that_load_each_other_come_to_an_end():
    own = "Gem::Specification.new { |s| s.add_development_dependency %r }\n"
    load = f'Bundler.load_gemspec("%s.gemspec").dependencies.{TAKEN_OVER}\n'
    contents = read(
        {
            "a.gemspec": own % "x" + load % "b" * 20,
            "b.gemspec": own % "y" + load % "a" + load % "missing" * 100,
        },
        "a.gemspec",
    )
    assert {one.name for one in contents.dependencies} == {"x", "y"}
    assert any("is loaded too deeply to follow" in problem for problem in contents.problems)


def test_no_more_gemspecs_are_loaded_than_a_person_would_name():
    text = "".join(
        f"Bundler.load_gemspec('{place}').dependencies.each {{}}\n" for place in range(99)
    )
    assert len(read(text, "a.gemspec").problems) == 50


SHARED = """
RELEASED = false
unseen = "x"

def fork_of(name, repo = name.to_s, branch = "main", *versions, path: false, **options)
  return gem name if RELEASED
  origin = if path
             { path: "../#{repo}" } # beside
           elsif RELEASED then {}
           else
             url = "https://example.org/#{repo}.git"
             { git: url, branch: branch }
           end
  gem name, *versions, **origin, **options
end

def all_of(names, options = {}) = names.each { |name| return if name == "last"; gem name, options }
def tools
  gem "rake"
  gem unseen
end
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('fork_of "a"', [("runtime", "a", "git: https://example.org/a.git, branch: main")]),
        ('fork_of "a", "b", path: true', [("runtime", "a", "path: ../b")]),
        (
            'fork_of "a", "b", "c", "~> 1", "< 1.5", group: :test',
            [("development", "a", "~> 1, < 1.5, git: https://example.org/b.git, branch: c")],
        ),
        ("group(:test) { tools }", [("development", "rake", "")]),
        (
            'all_of %w[a b last c], git: "https://example.org/all.git"',
            [(("runtime"), name, "git: https://example.org/all.git") for name in "ab"],
        ),
        ("RELEASED = true\nfork_of 'a', path: true", [("runtime", "a", "")]),
        (
            "RELEASED = late\nfork_of 'a', path: true",
            [("runtime", "a", ""), ("runtime", "a", "path: ../a")],
        ),
        ("other.tools\nfork_of", []),
    ],
)
def test_methods_that_the_file_defines_are_followed(text, expected):
    assert told(read(SHARED + text)) == expected


def test_a_method_that_calls_itself_comes_to_an_end_and_says_so():
    contents = read('def more(name)\n gem name\n more "#{name}x"\nend\nmore "a"')
    assert [one.name for one in contents.dependencies] == ["a", "ax", "axx", "axxx", "axxxx"]
    assert contents.problems == ("line 3: more is called too deeply to follow",)


def test_a_method_named_as_what_it_refines_hides_nothing():
    assert set(names('def gem(name, *rest)\n super\nend\ngem "a"')) == {"a"}


@pytest.mark.parametrize(
    "text",
    [
        "def a(*b) = gem('x')\n" + "a(" * 1_000 + ")" * 1_000,
        "def a(b = [1, 2, 3], **c)\n a(**c)\n a\nend\n" + "a\n" * 20_000,
        "def a(x)\n"
        + "".join(f" def b{place}\n" for place in range(1_000))
        + "end\n" * 1_001
        + "a",
        "".join(f"def a{place}\n a{place + 1}\n a{place + 1}\nend\n" for place in range(1_000))
        + "a0\n" * 1_000,
        "def a(b, c = b + b, *d)\n gem 'x', b, *d\nend\na %w["
        + "x " * 9_000
        + "]"
        + "\na 1" * 9_000,
    ],
)
def test_methods_do_not_hold_up_the_reader(text):
    start = time.thread_time()
    with suppress(ManifestError):
        read(text)
    assert time.thread_time() - start < 2


def test_what_is_nothing_but_an_error_is_refused():
    with pytest.raises(ManifestError, match="line 1 is no Ruby"):
        read("gem , end")


def test_what_is_no_ruby_is_left_out_by_its_line():
    contents = read('gem "a"\ngem "b"\ngem "c" => => )\n')
    assert [one.name for one in contents.dependencies][:1] == ["a"]
    assert contents.problems == ("line 3 is no Ruby that can be read, and is left out",)


@pytest.mark.parametrize(
    "text",
    [
        "`" * 100_000,
        "%q(" * 40_000,
        "%w[a b c d e f g h].each { |x| " * 6 + "gem x" + "}" * 6,
        "".join(f"x{place} = 'a'\n" for place in range(5_000)) + "x = 'b' if y\n" * 1_000,
        "a" * (200 << 10),
        "x = %w[" + "a " * 15_000 + "]\n" + "x.each {}\n" * 2_000,
        'x = ["a"]\n' + "x = [x, x]\n" * 60 + "gem 'a', x",
        "group(%w[" + "a " * 9_000 + "]) do\n" + "gem 'a'\n" * 5_000 + "end",
    ],
)
def test_what_is_made_to_hold_up_the_reader_is_given_up(text):
    start = time.thread_time()
    with pytest.raises(ManifestError):
        read(text)
    assert time.thread_time() - start < 2


def test_a_gemspec_that_is_asked_for_endlessly_is_given_up():
    gemspec = "".join(f"s.add_dependency 'a{place}'\n" for place in range(500))
    with pytest.raises(ManifestError, match="50000 gems"):
        read({"Gemfile": "gemspec\n" * 1_000, "a.gemspec": gemspec})


def test_strings_that_double_do_not_fill_the_memory():
    text = 'x = "ab"\n' + 'x = "#{x}#{x}"\n' * 60 + 'gem "a", x\n'
    assert told(read(text)) == [("runtime", "a", "x")]


WORDS = """gem group do end if unless ENV RUBY_VERSION each |x| x { } ( ) [ ] "a" "#{ :b %w[ , = =>
&& || ! ? : . * ** & <<~A A case when then else begin rescue gemspec eval_gemfile File.read #
def x(gem, x return next Bundler.load_gemspec("a.gemspec") .dependencies.each"""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=40).map(" ".join) | st.text(),
    st.text(),
)
def test_any_text_is_read_or_refused(text, lock):
    for path in ("Gemfile", "a.gemspec"):
        with suppress(ManifestError, ValueError):
            read({path: text, "Gemfile.lock": LOCK + lock}, path)


def test_every_file_so_called_is_a_manifest():
    assert rubygems.claims("gemfiles/Gemfile")


def test_odd_values_do_no_harm():
    text = (
        "gem 'a', :path => nil, group: 1\n-x ||= 1\ngem 'b', (1; 2), !late\ngem *late, 'c'\nENV.x\n"
    )
    assert [told(read(text))[0], told(read(text))[1][1]] == [("runtime", "a", ""), "b"]


ENGINES = {
    "engines/b/lib/b/version.rb": "",
    "engines/a/lib/a/version.rb": "",
    "engines/README.md": "",
    "engines/.hidden/lib/x/version.rb": "",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dir['engines/*'].each { |e| gem File.basename(e) if File.directory?(e) }", "a b"),
        (("Dir.children('engines').reject { |e| %w[README.md .hidden].include?(e) }"
         ".sort.each { |e| gem e }"), "a b"),
        (("Dir.entries('./engines').select { |e| File.directory?(File.join('engines', e)) }"
         ".reject { |e| e == '.' || e == '..' }.map { |e| \"my-#{e}\" }.each { |e| gem e }"),
         "my-.hidden my-a my-b"),
        (("Dir.glob('engines/**/version.rb').each do |f|\n"
         "  name = f.match(%r{lib/(\\w+)/version\\.rb})[1]\n  gem name\nend"), "a b"),
        ("Dir['engines/*/'].each { |e| gem File.basename(e) }", "a b"),
        ("Dir['engines/none*'].each { |e| gem e }", ""),
        ("Dir['engines/?'].each { |e| gem File.basename(e) }", "a b"),
    ],
)  # fmt: skip
def test_what_folders_hold_is_known(text, expected):
    gemfile = read({"Gemfile": text, **ENGINES})

    assert sorted(one.name for one in gemfile.dependencies) == expected.split()
    assert gemfile.problems == ()


@pytest.mark.parametrize(
    "listed",
    ["Dir['../*']", "Dir['/etc/*']", "Dir['{a,b}']", "Dir['*a*b*c']", "Dir.entries('/')",
     "Dir.children('none')", "Dir.glob(x)", "Dir['engines/*'].select { |e| x(e) }"],
)  # fmt: skip
def test_what_folders_hold_that_cannot_be_known_is_said(listed):
    gemfile = read({"Gemfile": f"{listed}.each {{ |e| gem e }}", **ENGINES})

    assert [one.name for one in gemfile.dependencies] == []
    assert gemfile.problems == ("line 1: the name of a gem is computed",)


@pytest.mark.parametrize("pattern", [r"((a+)+)b", r"(\w+)+b", "a", "(.*)"])
def test_patterns_that_may_take_long_are_not_tried(pattern):
    text = f"n = '{'a' * 200}'.match(/{pattern}/)[1]\ngem n"

    assert read({"Gemfile": text}).dependencies == ()


def test_folders_are_not_listed_without_end():
    text = "Dir['a/x*'].each { |e| x e }\n" * 400
    many = {f"a/{number}": "" for number in range(1_000)}

    with pytest.raises(ManifestError, match="are looked at for one repository"):
        read({"Gemfile": text, **many})
