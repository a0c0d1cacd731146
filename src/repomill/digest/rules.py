"""What makes a file worth its place in a digest: the table that the order of files comes from.

The first rule that fits a file gives its points. What is taken off for depth, size and likeness,
and added for being pointed at, stands in rank.py; docs/explanation/budget.md explains it.
"""

from __future__ import annotations

from dataclasses import dataclass

from repomill.digest.linguist import Nature

PARTS = 24
"""Of the room for files: what shares are counted in, so that no rounding can come between."""
_README = 6
_KEY = 3
_ORDINARY = 2

ROOT = r""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One row: a kind of file, and what it is worth."""

    kind: str
    points: int
    name: str = r".*"
    """Expression for the whole name of a file, in lower case."""
    folder: str | None = None
    """Expression for the whole path of the folder that it lies in, in lower case; None for any."""
    why: str
    likeness: int = 1
    """How much it costs a file to be like others: more where one speaks for all."""
    even_generated: bool = False
    """Whether it is worth as much where a program has written it."""
    share: int = _ORDINARY
    """PARTS of the room for files that one file of the kind may take before it is cut."""

    @property
    def is_key(self) -> bool:
        """Whether a digest is hardly one without such a file."""
        return self.share > _ORDINARY


_MANIFESTS = (
    r"package\.json|pyproject\.toml|setup\.(py|cfg)|requirements[\w.-]*\.(txt|in)|pipfile"
    r"|environment\.ya?ml|gemfile|[\w.-]+\.gemspec|pom\.xml|(build|settings)\.gradle(\.kts)?"
    r"|build\.(sbt|sc|mill)|go\.mod|go\.work|cargo\.toml|composer\.json|[\w.-]+\.(cs|fs|vb)proj"
    r"|[\w.-]+\.slnx?|directory\.(build|packages)\.props|mix\.exs|deno\.jsonc?|package\.swift"
    r"|pubspec\.yaml|podfile|cmakelists\.txt|description|renv\.lock|stack\.yaml|[\w.-]+\.cabal"
    r"|project\.clj|deps\.edn|pnpm-workspace\.yaml|lerna\.json|nx\.json|chart\.yaml"
    r"|galaxy\.yml|conanfile\.(py|txt)|meson\.build|build\.zig|gleam\.toml|project\.toml"
)
_TESTS = (
    r"(.*/)?(tests?|specs?|__tests__|[\w.-]+[._-]tests?|tests?[._-][\w.-]+|e2e|cypress|acceptance"
    r"|androidtest|playwright|mocks?|__mocks__|benchmarks?)(/.*)?"
    r"|(features|integration|it|jest|performance|testing)(/.*)?"
)
_DATA = r".*\.(csv|tsv|json|jsonl|geojson|xml|ya?ml|txt|html?|sql|svg|xsd|wsdl|log|lock|snap)"

RULES: tuple[Rule, ...] = (
    # What says of itself that it is not written by the project.
    Rule(
        kind="fixture",
        points=60,
        likeness=2,
        folder=r"(.*/)?(fixtures?|testdata|test[_-]data|__snapshots__|cassettes|snapshots?|golden"
        r"|stubs?|wiremock|dummy)(/.*)?",
        why="input and expected output of tests",
    ),
    Rule(
        kind="translation",
        points=100,
        likeness=2,
        folder=r"(.*/)?(locales?|i18n|l10n|lang|translations?|lc_messages)(/.*)?",
        why="the same words in many languages",
    ),
    Rule(
        kind="translation",
        points=100,
        likeness=2,
        name=r"messages([._][\w-]+)?(\.properties)?|.*\.(po|pot|xliff|xlf|arb|resx)",
        why="the same words in many languages",
    ),
    # What says what the project is.
    Rule(
        kind="readme",
        points=1000,
        folder=ROOT,
        name=r"readme([._][\w.-]+)?",
        why="says what the repository is for",
        share=_README,
    ),
    Rule(
        kind="readme",
        points=700,
        folder=r"\.github|docs?",
        name=r"readme([._][\w.-]+)?",
        why="GitHub shows it where the root has none",
    ),
    Rule(
        kind="manifest",
        points=900,
        folder=ROOT,
        name=_MANIFESTS,
        why="what it is built from and called",
        even_generated=True,
        share=_KEY,
    ),
    Rule(
        kind="manifest",
        points=870,
        folder=r"project|gradle|requirements|build-logic|buildsrc",
        name=r"(app|lib|code)?dependencies\.(scala|sc)|[\w.-]+\.sbt|libs\.versions\.toml"
        r"|[\w.-]+\.(txt|in)|build\.gradle(\.kts)?",
        why="the build's own folder lists what it is built from",
        share=_KEY,
    ),
    Rule(
        kind="test",
        points=200,
        likeness=2,
        folder=_TESTS,
        why="shows use, but is many times what it shows",
    ),
    Rule(
        kind="test",
        points=200,
        likeness=2,
        name=r".*[._-](test|spec)s?\.(rb|py|[cm]?[jt]sx?|go|exs?|php|rs)|test_.*\.py"
        r"|.*(tests?|spec)\.(java|kt|scala|cs|groovy)"
        r"|conftest\.py|.*\.feature|(jest|vitest|cypress|playwright|karma)[\w.-]*\.[cm]?[jt]s",
        why="shows use, but is many times what it shows",
    ),
    Rule(
        kind="architecture",
        points=860,
        name=r"(.*[_-])?(architecture|overview|data[_-]?(model|dictionary|flow))([_-][\w-]*)?"
        r"\.(md|rst|adoc|txt|puml|mmd|dsl)"
        r"|(design|system|concepts?|how[_-]it[_-]works)\.(md|rst|adoc|txt)",
        why="how the parts belong together",
        share=_KEY,
    ),
    Rule(
        kind="API",
        points=840,
        name=r"(openapi|swagger|asyncapi)[\w.-]*\.(ya?ml|json)|.*[_-](api|spec)\.ya?ml"
        r"|api([_-](spec|docs?|reference|definition))?\.(md|ya?ml|json|raml|rst)"
        r"|schema\.(graphqls?|json)|.*\.(raml|wsdl|proto|graphqls)",
        likeness=3,
        why="what others may ask of it",
        share=_KEY,
    ),
    # Where it starts.
    Rule(
        kind="entry point",
        points=820,
        folder=r"(?!(scripts?|tools?|hack|bin)\Z)[\w.-]*|(cmd|src|app)/[\w.-]+",
        name=r"(main|app|index|cli|server|manage|wsgi|asgi|application|__main__|run|start|handler|lambda"
        r"|lambda_function|program|startup|bootstrap|entrypoint|docker-entrypoint)"
        r"\.([cm]?[jt]sx?|py|rb|go|rs|java|kt|scala|cs|php|clj|ex|sh|r|swift|c|cc|cpp|njk|html)",
        why="where reading, and running, begins",
        share=_KEY,
    ),
    Rule(
        kind="entry point",
        points=800,
        folder=r"(?!(.*/)?(scripts?|tools?|hack|examples?|docs?|documentation|util|fuzz\w*)(/|\Z)).*",
        name=r"(\w*application|program|startup|\w*app)\.(java|kt|cs)|main\.(go|rs)|lib\.rs",
        why="where the program of such a language begins",
        share=_KEY,
    ),
    Rule(
        kind="routes",
        points=790,
        likeness=3,
        folder=r"([\w.-]+(/[\w.-]+){0,2})?",
        name=r"routes|.*\.routes|routes?\.(rb|py|[cm]?[jt]sx?|scala|php|exs?|go|rs|kt)|urls\.py"
        r"|router\.([cm]?[jt]sx?|exs?|go|rs)",
        why="what it answers to",
        share=_KEY,
    ),
    Rule(
        kind="settings",
        points=770,
        likeness=3,
        folder=r"(?!(.*/)?initializers(/|\Z)).*",
        name=r"(settings|config|configuration|default)\.(py|rb|[jt]s|exs?)|application\.(rb|exs?)"
        r"|application([_-]?(prod|default|base))?\.(conf|ya?ml|properties)|appsettings\.json"
        r"|\.env[._-](example|sample|template|dist)|(example|sample)\.env|config\.ru|serverless\.ya?ml",
        why="what can be set, and what it talks to",
        share=_KEY,
    ),
    Rule(
        kind="settings",
        points=760,
        folder=r"([\w.-]+/)?(settings|config/settings|conf)",
        name=r"(base|common|__init__|default|local|application)\.(py|conf|ya?ml)",
        likeness=3,
        why="what can be set, and what it talks to",
        share=_KEY,
    ),
    Rule(
        kind="settings",
        points=750,
        likeness=3,
        folder=r"config|conf|(.*/)?resources(/config)?",
        name=r"(settings|config)\.ya?ml",
        why="what can be set, and what it talks to",
    ),
    # How it is built, run and brought out.
    Rule(
        kind="build and run",
        points=750,
        folder=ROOT,
        name=r"(docker|container)file[\w.-]*|(docker-)?compose[\w.-]*\.ya?ml|(gnu)?makefile|procfile\w*"
        r"|justfile|taskfile\.ya?ml|rakefile|gulpfile\.[cm]?[jt]s|gruntfile\.[cm]?[jt]s|jenkinsfile"
        r"|vagrantfile|skaffold\.yaml|tilt(file)?|manifest[\w.-]*\.ya?ml|cloudbuild\.ya?ml"
        r"|(webpack|vite|rollup|next|nuxt|astro|svelte|angular)[\w.-]*\.([cm]?[jt]s|json)|startup\.sh",
        why="how it is built and run",
    ),
    Rule(
        kind="infrastructure",
        points=700,
        likeness=3,
        name=r"main\.tf|template\.ya?ml|cdk\.json|kustomization\.ya?ml|terragrunt\.hcl"
        r"|playbook\.ya?ml|site\.ya?ml",
        why="the roots of its infrastructure",
    ),
    Rule(
        kind="infrastructure",
        points=500,
        likeness=3,
        name=r"(providers?|backend|terraform|variables|outputs|versions)\.tf|values\.ya?ml"
        r"|samconfig\.toml",
        why="what the roots of its infrastructure are given, much the same everywhere",
    ),
    Rule(
        kind="continuous integration",
        points=560,
        likeness=4,
        folder=r"\.github/workflows|\.circleci|\.gitlab|concourse|ci|\.buildkite|azure-pipelines",
        name=r".*\.ya?ml",
        why="what is checked and brought out, and how",
    ),
    Rule(
        kind="continuous integration",
        points=560,
        likeness=4,
        folder=ROOT,
        name=r"\.travis\.yml|\.gitlab-ci\.yml|azure-pipelines[\w.-]*\.ya?ml|buildspec[\w.-]*\.ya?ml"
        r"|appveyor\.yml|sonar-project\.properties|catalog-info\.yaml|repository\.yaml",
        why="what is checked and brought out, and how",
    ),
    Rule(
        kind="manifest",
        points=640,
        name=_MANIFESTS,
        why="a part of the repository that is built by itself",
    ),
    Rule(
        kind="build and run",
        points=600,
        name=r"(docker|container)file[\w.-]*|(docker-)?compose[\w.-]*\.ya?ml|(gnu)?makefile|justfile",
        why="how a part of it is built and run",
    ),
    # What is written about it.
    Rule(
        kind="legal",
        points=160,
        likeness=2,
        name=r"(licen[sc]e|copying|notice|unlicense|code[_-]of[_-]conduct|codeowners|authors"
        r"|contributors|maintainers|pull_request_template|security)([._-][\w.-]+)?|cla\.md"
        r"|issue_template[\w.-]*",
        why="the same in thousands of repositories",
    ),
    Rule(
        kind="contributing",
        points=400,
        name=r"(contributing|development[_-]guidelines|style[_-]?guide)[\w.-]*",
        why="how to work on it, much the same everywhere",
    ),
    Rule(
        kind="history",
        points=180,
        likeness=2,
        name=r"(change(s|log)|history|news|release[_-]?notes|releases|upgrad(e|ing)|migrat(e|ing|ion))"
        r"[\w.-]*\.?(md|rst|txt|adoc)?",
        why="what was, newest first",
    ),
    Rule(
        kind="decision",
        points=480,
        folder=r"(.*/)?(adrs?|rfcs?|decisions|architecture[_-]decisions?|decision-records?)(/.*)?",
        name=r".*\.(md|rst|adoc|txt)",
        why="why it is as it is",
    ),
    Rule(
        kind="documentation",
        points=620,
        folder=ROOT,
        name=r".*\.(md|mdx|rst|adoc|textile)",
        why="what its authors want read first",
    ),
    Rule(
        kind="documentation",
        points=560,
        folder=r"((docs?|documentation|wiki|guides?|runbooks?)(/[\w.-]+){0,2}|source|content)?",
        name=r"(index|introduction|intro|getting[_-]?started|quick[_-]?start|usage|install(ation)?"
        r"|set[_-]?up|deploy(ing|ment)?|development|running[\w-]*|local[\w-]*|readme)[\w.-]*"
        r"\.(md|mdx|rst|adoc|html\.md(\.erb)?)",
        why="how it is used and run",
    ),
    Rule(
        kind="readme",
        points=520,
        name=r"readme([._][\w.-]+)?",
        why="says what a part is for",
    ),
    Rule(
        kind="documentation",
        points=460,
        folder=r"(.*/)?(docs?|documentation|wiki|guides?|runbooks?)(/.*)?|(src/)?(source|content)(/.*)?",
        name=r".*\.(md|mdx|rst|adoc|txt)(\.erb|\.njk)?",
        why="what is written for people",
    ),
    Rule(
        kind="schema",
        points=690,
        folder=r"(.*/)?(db|database|prisma|sql)",
        name=r"(schema|structure)\.(rb|sql|prisma)",
        why="what it keeps: the sum of all migrations",
        even_generated=True,
    ),
    Rule(
        kind="schema",
        points=500,
        folder=r"(.*/)?schemas?",
        name=r".*\.(avsc|xsd|json)",
        likeness=3,
        why="the shape of what it takes and gives",
    ),
    # What it does.
    Rule(
        kind="supporting source",
        points=440,
        folder=r"(.*/)?(exceptions?|errors?|concerns|builders?)(/.*)?",
        name=r".*\.(rb|py|java|kt|scala|cs|go|[cm]?[jt]s)",
        why="what supports the rest, and is told by its name",
    ),
    Rule(
        kind="client-side source",
        points=430,
        folder=r"(.*/)?(assets|javascripts?|static|public|webpack(er)?)(/.*)?",
        name=r".*\.([cm]?[jt]sx?|vue)",
        why="what it does in a browser",
    ),
    Rule(
        kind="initializer",
        points=410,
        folder=r"(.*/)?config/(initializers|environments|locales)",
        why="how the frameworks are set up, much the same everywhere",
    ),
    Rule(
        kind="core source",
        points=530,
        folder=r"(.*/)?(models?|domain|services?|controllers?|handlers?|api|core|use[_-]?cases?"
        r"|interactors?|connectors?|repositor(y|ies)|entit(y|ies)|resources|jobs|workers|views"
        r"|state[_-]?machines?|policies)(/.*)?",
        name=r".*\.(rb|py|java|kt|scala|cs|go|[cm]?[jt]s|php|rs|exs?|clj|swift)",
        why="where frameworks have people put what a program does",
    ),
    Rule(
        kind="core source",
        points=530,
        name=r"(models|views|services|tasks|serializers|schemas|selectors|managers|models_\w+)\.py"
        r"|\w+(service|resource|entity|controller|repository|provider|connector|dbcontext)"
        r"\.(java|kt|scala|cs|[jt]s)",
        why="what frameworks have people call what a program does",
    ),
    # What there is much of.
    Rule(
        kind="migration",
        points=110,
        likeness=2,
        folder=r"(.*/)?(migrations?|migrate|alembic/versions|flyway|liquibase|changelogs?)(/.*)?",
        why="history of a database, which its models or schema sum up",
    ),
    Rule(
        kind="tool settings",
        points=150,
        likeness=2,
        name=r"\.[\w-]*(rc|ignore)(\.\w+)?|\.(editorconfig|tool-versions|nvmrc|node-version|python-version"
        r"|java-version|terraform-version|pre-commit-config\.yaml|rubocop[\w.-]*|rspec|erb[\w-]*\.yml"
        r"|dependabot\.yml|talismanrc|snyk|dockerignore|gitattributes|flake8|pylintrc|htmlhintrc)"
        r"|dependabot\.ya?ml|(eslint|prettier|babel|postcss|stylelint|tailwind|commitlint|renovate)"
        r"[\w.-]*|tsconfig[\w.-]*\.json|tox\.ini|mypy\.ini|pytest\.ini|\.?scalafmt\.conf"
        r"|lint-staged[\w.-]*|nodemon\.json|jsconfig\.json|logback[\w.-]*\.xml",
        why="habits of the tools, much the same everywhere",
    ),
    Rule(
        kind="test",
        points=190,
        likeness=2,
        folder=r"(.*/)?(examples?|samples?|demo|playground|sandbox|storybook|stories|prototypes?)(/.*)?",
        why="shows use, beside the thing itself",
    ),
    Rule(
        kind="data",
        points=90,
        likeness=2,
        folder=r"(.*/)?(data|seeds?|assets/data|static|public|resources/data|images?|fonts?|media)(/.*)?",
        name=_DATA,
        why="what the program works on",
    ),
    Rule(
        kind="data",
        points=80,
        likeness=2,
        name=r".*\.(csv|tsv|geojson|jsonl|ndjson|parquet|xlsx?|log|lock|sum|snap|sqlite|ods|docx?|pem"
        r"|crt|key|bib|ipynb_checkpoints)|go\.sum|.*-lock\.(json|ya?ml)",
        why="what the program works on",
    ),
)

NATURES: dict[Nature, Rule] = {
    Nature.VENDORED: Rule(kind="vendored", points=40, likeness=2, why="somebody else's, kept here"),
    Nature.GENERATED: Rule(
        kind="generated", points=30, likeness=2, why="made by a program from something else"
    ),
}
"""What linguist knows of a file goes before all rules."""

BINARY = Rule(kind="binary", points=10, likeness=2, why="no text")
EMPTY = Rule(kind="empty", points=20, likeness=2, why="nothing in it")
LINK = Rule(kind="link", points=50, likeness=2, why="leads to another file")

SOURCE = Rule(kind="source", points=500, why="what it does")
MARKUP = Rule(kind="template or style", points=380, why="how it looks")
NOTEBOOK = Rule(kind="notebook", points=440, why="analysis, told in steps")
CONFIGURATION = Rule(kind="configuration", points=340, likeness=2, why="what is set in it")
PROSE = Rule(kind="text", points=330, likeness=2, why="what is written for people")
OTHER = Rule(kind="other", points=130, likeness=2, why="of no known kind")
