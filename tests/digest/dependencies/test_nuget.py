import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import nuget
from repomill.digest.dependencies.base import ManifestError
from tests.digest.dependencies.commit import files


def project(*parts: str) -> str:
    return f'\ufeff<Project Sdk="Microsoft.NET.Sdk">{"".join(parts)}</Project>'


def items(*parts: str, condition: str = "") -> str:
    return f"<ItemGroup{condition and f' Condition={condition!r}'}>{''.join(parts)}</ItemGroup>"


def properties(**values: str) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<PropertyGroup>{inner}</PropertyGroup>"


def said(path, contents):
    found = nuget.read(path, files(contents)).dependencies
    return sorted({(str(one.scope), one.name, one.requirement, one.resolved) for one in found})


def of_project(*parts: str):
    return said("a.csproj", {"a.csproj": project(*parts)})


REFERENCE = '<PackageReference Include="Moq" Version="{}" />'


def test_what_a_project_references_is_told_with_its_version():
    text = items(
        '<PackageReference Include="Serilog" Version="4.0.0" />',
        '<PackageReference Include="Polly"><Version> 8.1 </Version></PackageReference>',
        '<packagereference include="Dapper" version="[2.1.35]" />',
        '<ProjectReference Include="..\\b\\b.csproj" />',
        '<Compile Remove="x.cs" />',
    )
    assert of_project(text) == [
        ("runtime", "Dapper", "[2.1.35]", "2.1.35"),
        ("runtime", "Polly", "8.1", "8.1"),
        ("runtime", "Serilog", "4.0.0", "4.0.0"),
    ]
    (one,) = nuget.read(
        "a.csproj", files({"a.csproj": project(items(REFERENCE.format("1")))})
    ).dependencies
    assert one.purl == "pkg:nuget/Moq@1"


def test_packages_that_are_passed_on_to_nobody_are_for_development():
    text = items(
        '<PackageReference Include="coverlet.collector" Version="6.0.2">'
        "<PrivateAssets>all</PrivateAssets></PackageReference>",
        '<PackageReference Include="MinVer" Version="7.0.0" PrivateAssets="All" />',
        '<PackageReference Include="EF" Version="9.0.0" PrivateAssets="contentFiles; analyzers" />',
        '<GlobalPackageReference Include="SourceLink" Version="8.0.0" />',
        '<DotNetCliToolReference Include="dotnet-watch" Version="2.0.0" />',
    )
    assert [(scope, name) for scope, name, *_ in of_project(text)] == [
        ("build", "dotnet-watch"),
        ("development", "MinVer"),
        ("development", "SourceLink"),
        ("development", "coverlet.collector"),
        ("runtime", "EF"),
    ]


def test_the_name_of_a_project_does_not_change_what_its_packages_are_for():
    contents = {"Api.Tests/Api.Tests.csproj": project(items(REFERENCE.format("4.20.72")))}
    assert said("Api.Tests/Api.Tests.csproj", contents) == [
        ("runtime", "Moq", "4.20.72", "4.20.72")
    ]


@pytest.mark.parametrize(
    ("version", "resolved"),
    [
        ("1.2.3-beta.1+build", "1.2.3-beta.1"),
        ("[7]", "7"),
        ("1.*", None),
        ("[1.0,2.0)", None),
        ("(1.0,)", None),
        ("[1.0", None),
        ("$(Nowhere)", None),
        ("", None),
    ],
)
def test_one_version_is_settled_and_a_range_is_not(version, resolved):
    assert of_project(items(REFERENCE.format(version))) == [("runtime", "Moq", version, resolved)]


def test_versions_may_be_properties_of_the_project_and_of_files_above_it():
    contents = {
        "src/a/a.csproj": project(
            properties(MoqVersion="$(Major).20", Own="1.0"),
            items(
                REFERENCE.format("$(MoqVersion)"),
                '<PackageReference Include="B" Version="$( own )" />',
                '<PackageReference Include="C" Version="$(Shared)" />',
                '<PackageReference Include="D" Version="$(Imported)" />',
            ),
        ),
        "src/Directory.Build.props": project(
            properties(Major="4"),
            '<Import Project="$(MSBuildThisFileDirectory)..\\eng\\V.props" />'
            "<Import Project=\"$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', "
            "'$(MSBuildThisFileDirectory)../'))\" />",
        ),
        "Directory.Build.props": project(properties(Shared="2.0")),
        "eng/V.props": project(properties(Imported="3.0"), '<Import Project="V.props" />'),
    }
    assert [one[1:] for one in said("src/a/a.csproj", contents)] == [
        ("B", "1.0", "1.0"),
        ("C", "2.0", "2.0"),
        ("D", "3.0", "3.0"),
        ("Moq", "4.20", "4.20"),
    ]


def test_a_property_with_more_than_one_value_stays_as_it_is_written():
    group = "<PropertyGroup Condition=\"'$(TargetFramework)' == 'net8.0'\"><V>8</V></PropertyGroup>"
    assert of_project(properties(V="9"), group, items(REFERENCE.format("$(V)"))) == [
        ("runtime", "Moq", "$(V)", None)
    ]
    assert of_project(group, properties(V="9"), items(REFERENCE.format("$(V)"))) == [
        ("runtime", "Moq", "9", "9")
    ]


def test_central_versions_come_from_the_nearest_file_and_can_be_overridden():
    contents = {
        "Directory.Packages.props": project(
            properties(P="8.1.0"),
            items(
                '<PackageVersion Include="Polly" Version="$(P)" />',
                '<PackageVersion Include="Moq" Version="4.0.0" />',
                '<PackageVersion Include="Both" Version="1.0.0" />',
                '<GlobalPackageReference Include="Trim" Version="3.5.7" />',
            ),
            items('<PackageVersion Update="Both" Version="2.0.0" />', condition="x"),
            items('<PackageVersion Include="Net" Version="1.0.0" />', condition="x"),
            items('<PackageVersion Include="Net" Version="2.0.0" />', condition="y"),
        ),
        "a/a.csproj": project(
            items(
                '<PackageReference Include="polly" />',
                '<PackageReference Include="Moq" VersionOverride="4.1.0" />',
                '<PackageReference Include="Both;Net" />',
                '<PackageReference Include="Unknown" />',
            )
        ),
        "b/Directory.Packages.props": project(),
        "b/b.fsproj": project(items('<PackageReference Include="Polly" />')),
    }
    assert [one[1:] for one in said("a/a.csproj", contents)] == [
        ("Both", "1.0.0", None),
        ("Moq", "4.1.0", "4.1.0"),
        ("Net", "", None),
        ("Unknown", "", None),
        ("polly", "8.1.0", "8.1.0"),
    ]
    assert said("b/b.fsproj", contents) == [("runtime", "Polly", "", None)]
    assert said("Directory.Packages.props", contents) == [("development", "Trim", "3.5.7", "3.5.7")]


def test_a_nearer_central_file_may_take_in_the_one_above_it():
    contents = {
        "Directory.Packages.props": project(items('<PackageVersion Include="A" Version="1.0" />')),
        "b/Directory.Packages.props": project(
            '<Import Project="$([MSBuild]::GetPathOfFileAbove(Directory.Packages.props))" />',
            items('<PackageVersion Update="A" Version="2.0" />'),
        ),
        "b/b.vbproj": project(items('<PackageReference Include="A" />')),
    }
    assert said("b/b.vbproj", contents) == [("runtime", "A", "2.0", "2.0")]


def test_items_are_changed_and_removed_by_those_after_them():
    text = [
        items('<PackageReference Include="A" Version="1.0" />', REFERENCE.format("4.0")),
        items('<PackageReference Update="A" Version="2.0" PrivateAssets="all" />'),
        items('<PackageReference Update="Implicit" Version="2.0" />'),
        items('<PackageReference Remove="Moq" />'),
    ]
    assert of_project(*text) == [("development", "A", "2.0", "2.0")]


def test_what_is_there_under_a_condition_is_there():
    text = [
        "<Choose><When Condition='x'>",
        items('<PackageReference Include="A" Version="1.0" />'),
        "</When><Otherwise>",
        items('<PackageReference Include="A" Version="2.0" />'),
        "</Otherwise></Choose>",
        items('<PackageReference Include="B" Version="1.0" />', condition="y"),
        items('<PackageReference Remove="B" />', condition="z"),
        "<Target Name='T'>" + items(REFERENCE.format("1")) + "</Target>",
    ]
    assert [one[1:3] for one in of_project(*text)] == [("A", "1.0"), ("A", "2.0"), ("B", "1.0")]


def test_an_sdk_with_a_version_is_for_building():
    sdks = "Microsoft.Build.Traversal/2.0.24; Plain"
    text = f'<Project Sdk="{sdks}"><Sdk Name="B" Version="1.0"/></Project>'
    assert said("dirs.csproj", {"dirs.csproj": text}) == [
        ("build", "B", "1.0", "1.0"),
        ("build", "Microsoft.Build.Traversal", "2.0.24", "2.0.24"),
    ]


def test_a_name_that_is_not_settled_is_a_problem_that_says_which():
    text = project(items('<PackageReference Include="$(Company).Core" Version="1.0" />'))
    found = nuget.read("a.csproj", files({"a.csproj": text}))
    assert list(found.dependencies) == []
    assert list(found.problems) == ["$(Company).Core: not the name of a package"]


def lock(**frameworks: object) -> str:
    return json.dumps({"version": 2, "dependencies": frameworks})


def test_a_lock_file_beside_the_project_settles_versions():
    contents = {
        "a b.csproj": project(items(REFERENCE.format("4.*"), '<PackageReference Include="B" />')),
        "packages.lock.json": lock(
            net8={"moq": {"type": "Direct", "resolved": "4.20.72"}},
            net9={
                "Moq": {"type": "Direct", "resolved": "4.20.72"},
                "B": {"type": "Transitive", "resolved": "9.9"},
                "C": 1,
            },
        ),
    }
    assert said("a b.csproj", contents) == [
        ("runtime", "B", "", None),
        ("runtime", "Moq", "4.*", "4.20.72"),
    ]
    assert nuget.read("a b.csproj", files(contents)).locked_by == "packages.lock.json"
    contents["packages.a_b.lock.json"] = lock(
        net8={"Moq": {"type": "Direct", "resolved": "4.1"}},
        net9={"Moq": {"type": "Direct", "resolved": "4.2"}},
    )
    found = nuget.read("a b.csproj", files(contents))
    assert found.locked_by == "packages.a_b.lock.json"
    assert {one.resolved for one in found.dependencies} == {None}


def test_a_damaged_lock_file_settles_nothing():
    contents = {"a.csproj": project(items(REFERENCE.format("1.0"))), "packages.lock.json": "{"}
    found = nuget.read("a.csproj", files(contents))
    assert (found.locked_by, [one.resolved for one in found.dependencies]) == (None, ["1.0"])


def test_packages_config_says_what_is_used_and_what_for():
    text = """<?xml version="1.0" encoding="utf-8"?><packages>
        <package id="jQuery" version="3.1.1" targetFramework="net46" />
        <package id="StyleCop" version="6.0.0" developmentDependency="true" />
        <package version="1" />
    </packages>"""
    assert said("web/packages.config", {"web/packages.config": text}) == [
        ("development", "StyleCop", "6.0.0", "6.0.0"),
        ("runtime", "jQuery", "3.1.1", "3.1.1"),
    ]


def test_local_tools_are_for_development():
    text = json.dumps({"tools": {"dotnet-ef": {"version": "9.0.1"}, "odd": {"version": 1}, "": {}}})
    path = ".config/dotnet-tools.json"
    assert said(path, {path: text}) == [("development", "dotnet-ef", "9.0.1", "9.0.1")]


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("a.csproj", "<Proj/>", "its root is <Proj>, not <Project>"),
        ("a.props", "<Project>", "line 1 is no XML: no element found"),
        ("packages.config", "<configuration/>", "its root is <configuration>, not <packages>"),
        ("dotnet-tools.json", "\n{", "line 2 is no JSON: Expecting property name enclosed in"),
        (
            "a.targets",
            '<!DOCTYPE a [<!ENTITY b "c">]><Project>&b;</Project>',
            "line 1 declares entities or attributes",
        ),
        ("a.csproj", b"\x00\xff", "a.csproj is no text"),
    ],
)
def test_what_is_no_manifest_is_refused_by_name(path, text, message):
    assert nuget.claims(path)
    with pytest.raises(ManifestError) as raised:
        nuget.read(path, files({path: text}))
    assert str(raised.value).startswith(message)


def test_a_damaged_file_above_costs_only_itself():
    contents = {
        "Directory.Build.props": "<",
        "Directory.Packages.props": "<",
        "a.csproj": project(items(REFERENCE.format("1.0"))),
    }
    assert said("a.csproj", contents) == [("runtime", "Moq", "1.0", "1.0")]


def test_what_multiplies_is_bounded():
    doubled = {f"P{n}": f"$(P{n + 1})$(P{n + 1})" for n in range(40)}
    updates = '<PackageReference Update="Moq" Version="1" Condition="x" />' * 200
    found = of_project(properties(**doubled), items(REFERENCE.format("$(P0)"), updates))
    assert max(len(requirement) for _, _, requirement, _ in found) <= 200
    chain = {f"{n}.props": project(f'<Import Project="{n + 1}.props" />') for n in range(20)}
    last = {"20.props": project(properties(V="1"))}
    own = project('<Import Project="0.props" />', items(REFERENCE.format("$(V)")))
    assert said("a.csproj", chain | last | {"a.csproj": own}) == [("runtime", "Moq", "$(V)", None)]


NAMES = st.sampled_from(
    ["PackageReference", "PackageVersion", "ItemGroup", "PropertyGroup", "Choose", "Sdk", "Import"]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["Include", "Update", "Remove", "Version", "Condition", "Project", "Name"]),
    st.sampled_from(["a", "$(V)", "1.0", "a;b", "../x", "Directory.Packages.props", "$(", "[1]"]),
)


@st.composite
def elements(draw, depth=1):
    name, attributes = draw(NAMES), draw(ATTRIBUTES)
    inner = draw(st.lists(elements(depth - 1), max_size=3).map("".join)) if depth else "1.0"
    written = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return f"<{name} {written}>{inner}</{name}>"


@settings(max_examples=60, deadline=None)
@given(st.lists(elements(), max_size=4).map(lambda parts: project(*parts)) | st.text(), st.text())
def test_any_text_is_read_or_refused(text, other):
    paths = ["a.csproj", "Directory.Packages.props", "packages.config", "dotnet-tools.json"]
    contents = files(dict.fromkeys(paths, text) | {"packages.lock.json": other})
    for path in paths:
        try:
            nuget.read(path, contents)
        except (ManifestError, ValueError):
            continue
