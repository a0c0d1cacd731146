import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import terraform
from repomill.digest.dependencies.base import ManifestError, Scope
from tests.digest.dependencies.commit import files

VERSIONS = """
terraform {
  required_version = ">= 1.2.5"
  backend "s3" {}
  required_providers {
    # what the platform runs on
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.78.0"
      configuration_aliases = [aws.london]
    }
    github = { source = "integrations/github", "version" : "~> 6.6.0, != 6.6.1" }
    google-beta = {
      version = "4.5.0" // of HashiCorp's, since it names no other
    }
    cloud = {
      source = "app.terraform.io/acme/cloud"
    }
    tfe      = "~> 0.50"
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}
"""
PIECES = [
    *('module "a" {', "terraform {", "required_providers {", "aws = {", 'provider "x" {'),
    *('source = "a/b/c"', 'version = "1"', "<<E\n", "E\n", "/*", "*/", "//", "\r\n", "${"),
    *'}"#\n\\ é',
]
LOCK = """# This file is maintained automatically by "terraform init".

provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.78.1"
  constraints = "~> 5.78.0"
  hashes = [
    "h1:0LlQd2PnOIo8Dr7wqr7vRFiFJ5oLtZ9vFx8NgWKzNvI=",
  ]
}

provider "app.terraform.io/acme/cloud" {
  version = "2.0.0"
}
"""


def stated(text, **others):
    commit = {"infra/main.tf": text, **{f"infra/{name}": other for name, other in others.items()}}
    return list(terraform.read("infra/main.tf", files(commit)).dependencies)


def names_and_ranges(text, **others):
    return {(each.name, each.requirement) for each in stated(text, **others)}


def purls(text):
    return [each.purl for each in stated(text)]


def test_a_lock_has_in_small_letters_what_is_written_in_capitals():
    made = terraform.read(
        "main.tf",
        files(
            {
                "main.tf": "terraform {\n required_providers {\n  azapi = {\n"
                '   source = "Azure/azapi"\n   version = "~> 1.13"\n  }\n }\n}\n',
                ".terraform.lock.hcl": 'provider "registry.terraform.io/azure/azapi" {\n'
                '  version = "1.15.0"\n}\n',
            }
        ),
    )

    assert [one.resolved for one in made.dependencies] == ["1.15.0"]


def test_providers_are_those_that_the_block_requires():
    assert names_and_ranges(VERSIONS) == {
        ("hashicorp/aws", "~> 5.78.0"),
        ("integrations/github", "~> 6.6.0, != 6.6.1"),
        ("hashicorp/google-beta", "4.5.0"),
        ("app.terraform.io/acme/cloud", ""),
        ("hashicorp/tfe", "~> 0.50"),
    }


def test_all_that_is_fetched_is_needed_at_run_time():
    assert {each.scope for each in stated(VERSIONS)} == {Scope.RUNTIME}


def test_a_lock_file_beside_settles_versions():
    commit = files({"a/main.tf": VERSIONS, "a/.terraform.lock.hcl": LOCK})
    contents = terraform.read("a/main.tf", commit)
    assert contents.locked_by == "a/.terraform.lock.hcl"
    assert {each.name: each.resolved for each in contents.dependencies} == {
        "hashicorp/aws": "5.78.1",
        "integrations/github": None,
        "hashicorp/google-beta": "4.5.0",
        "app.terraform.io/acme/cloud": "2.0.0",
        "hashicorp/tfe": None,
    }


def test_a_lock_file_left_in_a_module_settles_nothing():
    call = 'module "region" {\n  source = "./region"\n}\n'
    module = {"a/region/main.tf": VERSIONS, "a/region/.terraform.lock.hcl": LOCK}
    assert terraform.read("a/region/main.tf", files(module)).locked_by
    commit = files({**module, "a/main.tf": call, "a/b.tf": b"module\0\xff"})
    assert terraform.read("a/region/main.tf", commit).locked_by is None


def test_a_lock_file_in_another_folder_settles_nothing():
    commit = files({"a/main.tf": VERSIONS, ".terraform.lock.hcl": LOCK})
    assert terraform.read("a/main.tf", commit).locked_by is None


def test_package_urls_name_the_registry_where_it_is_another():
    found = stated(VERSIONS)
    assert "pkg:terraform/acme/cloud?repository_url=app.terraform.io" in {
        each.purl for each in found
    }


def test_modules_come_from_registries_and_repositories():
    text = """
module "vpc" {
  # source = "../vpc"
  source  = "terraform-aws-modules/vpc/aws"
  version = "5.1.0"
  tags    = { source = "inner", version = "9" }
}
module "iam" {
  source  = "registry.terraform.io/terraform-aws-modules/iam/aws//modules/iam-user"
  version = "~> 5.0"
}
module "rds" {
  source = "github.com/ministryofjustice/cloud-platform-terraform-rds-instance?ref=7.1.0"
}
module "ecs" { source = "git::https://github.com/i-dot-ai/modules.git//infra/ecs?ref=v5" }
module "ssh" {
  source = "git@github.com:hmcts/module-postgresql?ref=master"
}
module "elsewhere" {
  source = "git::ssh://git@git.example.com:2222/team/net.git?ref=v1&depth=1"
}
module "bucket" {
  source = "bitbucket.org/team/bucket"
}
module "archive" {
  source = "https://example.com/vpc.zip?token=secret"
}
module "mine" {
  source = "./modules/mine"
}
module "parents" {
  source = "../shared"
}
"""
    assert purls(text) == [
        "pkg:terraform/terraform-aws-modules/vpc/aws@5.1.0",
        "pkg:terraform/terraform-aws-modules/iam/aws#modules/iam-user",
        "pkg:github/ministryofjustice/cloud-platform-terraform-rds-instance@7.1.0",
        "pkg:github/i-dot-ai/modules@v5#infra/ecs",
        "pkg:github/hmcts/module-postgresql@master",
        "pkg:generic/net@v1?vcs_url=git%2Bssh://git%40git.example.com:2222/team/net.git",
        "pkg:bitbucket/team/bucket",
        "pkg:generic/vpc.zip?download_url=https://example.com/vpc.zip",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "git::https://user:pass@github.com/org/repo.git?ref=v1",
        "git::https://oauth2:pass@git.example.com/org/repo.git?ref=v1&sshkey=pass",
        "https://user:pass@example.com/vpc.zip",
    ],
)
def test_credentials_in_an_address_go_no_further(source):
    [found] = stated(f'module "a" {{\n  source = "{source}"\n}}\n')
    assert "pass" not in repr(found) + found.purl


@pytest.mark.parametrize(
    "source", ["modules/vpc", "git::https://host/", "git::https://host//", "a" * 2000, "x/y/z/a/b"]
)
def test_what_is_no_address_names_nothing(source):
    assert stated(f'module "a" {{\n  source = "{source}"\n}}\n') == []


@pytest.mark.parametrize(
    ("source", "purl"),
    [
        ("hg::http://h.example/y", "pkg:generic/y?vcs_url=hg%2Bhttp://h.example/y"),
        ("http://h.example/y.zip", "pkg:generic/y.zip?download_url=http://h.example/y.zip"),
        ("oci://ghcr.io/a/b:1", "pkg:generic/b:1?download_url=oci://ghcr.io/a/b:1"),
        ("git@gitlab.com:a/b.git", "pkg:generic/b?vcs_url=git%2Bssh://git%40gitlab.com/a/b.git"),
        ("me@h.example:a/b", "pkg:generic/b?vcs_url=git%2Bssh://h.example/a/b"),
        ("git::http://h.example/b.git", "pkg:generic/b?vcs_url=git%2Bhttp://h.example/b.git"),
        ("gitlab.com/a/b", "pkg:generic/b?vcs_url=git%2Bhttps://gitlab.com/a/b"),
    ],
)
def test_an_address_stays_as_it_is_written(source, purl):
    assert purls(f'module "a" {{\n  source = "{source}"\n}}\n') == [purl]


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ("var.x", ["the source of module a is not fixed"]),
        ("5", ["the source of module a is not fixed"]),
        ('""', ["the source of module a is not fixed"]),
        ('"???"', ["the source of module a is no address"]),
        ('"https://me:pass@"', ["the source of module a is no address"]),
        ('".."', []),
        ('"/opt/modules/a"', []),
    ],
)
def test_a_source_that_is_no_address_is_named_as_a_problem(source, problems):
    text = f'module "a" {{\n  source = {source}\n}}\nmodule "b" {{\n  count = 1\n}}\n'
    contents = terraform.read("main.tf", files({"main.tf": text}))
    assert (list(contents.dependencies), list(contents.problems)) == ([], problems)


def test_a_source_with_a_variable_in_it_is_named_as_a_problem():
    text = 'module "vpc" {\n  source = "git::https://host/vpc?ref=${var.ref}"\n}\n'
    contents = terraform.read("main.tf", files({"main.tf": text}))
    assert contents.problems == ["the source of module vpc is not fixed"]


def test_a_provider_block_stands_for_hashicorps_where_nothing_else_is_said():
    assert names_and_ranges('provider "aws" {\n  region = "eu-west-2"\n}\n') == {
        ("hashicorp/aws", "")
    }


def test_a_provider_block_says_nothing_new_where_its_folder_requires_it():
    block = 'provider "github" {\n  owner = "alphagov"\n}\n'
    assert names_and_ranges(block, **{"versions.tf": VERSIONS}) == set()
    assert names_and_ranges(VERSIONS + block) == names_and_ranges(VERSIONS)


def test_an_older_provider_block_may_name_the_versions():
    text = 'provider "aws" {\n  region  = "eu-west-2"\n  version = "2.46.0"\n}\n'
    text += 'provider "aws" {\n  alias = "replica"\n}\n'
    assert names_and_ranges(text) == {("hashicorp/aws", "2.46.0")}
    github = 'provider "github" {\n  version = "4.0.0"\n}\n'
    assert names_and_ranges(github, **{"versions.tf": VERSIONS}) == {
        ("integrations/github", "4.0.0")
    }


def test_a_folder_with_a_file_that_cannot_be_read_is_read_all_the_same():
    block = 'provider "aws" {}\n'
    assert names_and_ranges(block, **{"other.tf": b"provider\0\xff\xfe\x01"}) == {
        ("hashicorp/aws", "")
    }


def test_the_provider_that_is_part_of_terraform_is_none():
    assert stated('provider "terraform" {}\n') == []


def test_what_only_looks_like_a_block_is_none():
    text = """
# module "a" {
#   source = "a/b/c"
# }
/*
module "b" {
  source = "a/b/c"
}
*/
resource "x" "y" {
  user_data = <<-EOF
    module "c" {
      source = "a/b/c"
    }
    EOF
  policy = "arn:aws:s3:::bucket/*"
  module = "provider"
}
module "d" {
  source = "d/d/d"
  name   = "${lookup(var.names, "}")}-$${literal}-%{ if var.a }{%{ endif }"
  text   = <<EOF
}
source = "e/e/e"
EOF
  version = "1.0.0" # }
}
"""
    assert purls(text) == ["pkg:terraform/d/d/d@1.0.0"]


@pytest.mark.parametrize(
    "text",
    [
        'module "a" {\n  source = "a/b/c"',
        'module "a" {\n  x = "open\n  source = "a/b/c"\n}',
        'module "a" {\n  source = "a/b/c"\n  x = <<EOF\n}',
        'module "a" {\n  source = "a/b/c" // no line after it',
        'module a {\r\n  source = "a/b/c"\r\n  x = "${y',
        'module "a" { source = "a/b/c" /* open',
        'module "a" {\n  source = "a/b/c"\n  # no end',
    ],
)
def test_damage_costs_no_more_than_it_covers(text):
    assert purls(text) == ["pkg:terraform/a/b/c"]


def test_a_file_without_blocks_of_interest_names_nothing():
    assert stated('resource "aws_instance" "a" {\n  provider = aws.london\n}\n') == []
    assert stated('variable "module" {}\n') == []


@pytest.mark.parametrize(
    "text",
    [
        'module "a" ' + "{" * 100_000,
        'module "a" {\n x = "' + '${"' * 40_000,
        'module "a" {}\n' + "".join(f"<<A{n}\nA{n}\n" for n in range(8_000)),
        'module "a" {}\n' + "/*/" * 50_000,
        "\nmodule " * 30_000,
        'module "a" {}\n' * 9_000,
    ],
    ids=["braces", "templates", "heredocs", "comments", "headers", "empty"],
)
def test_hostile_text_takes_no_time(text):
    started = time.process_time()
    stated(text)
    assert time.process_time() - started < 1


def test_every_file_of_terraforms_is_a_manifest():
    assert terraform.claims("infra/main.tf")


def test_too_many_blocks_are_refused():
    with pytest.raises(ManifestError, match="more than 10000"):
        stated("".join(f'provider "p{number}" {{}}\n' for number in range(10_001)))


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)))
@settings(max_examples=60, deadline=None)
def test_whatever_it_is_given_it_answers_or_refuses(pieces):
    try:
        found = stated("".join(pieces).encode("utf-8", "replace"))
    except (ManifestError, ValueError):
        return
    assert all(each.name and each.purl for each in found)
