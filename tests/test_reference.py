"""Names of images: each spelling means what every other program takes it for."""

import pytest

from cromwell_userdb.errors import UsageError
from cromwell_userdb.reference import parse

DIGEST = "sha256:" + "71cd" * 16


@pytest.mark.parametrize(
    ("text", "host", "path", "version"),
    [
        ("ubuntu", "docker.io", "library/ubuntu", "latest"),
        ("ubuntu:20.04", "docker.io", "library/ubuntu", "20.04"),
        ("docker://ubuntu:20.04", "docker.io", "library/ubuntu", "20.04"),
        ("docker.io/ubuntu", "docker.io", "library/ubuntu", "latest"),
        ("index.docker.io/library/ubuntu", "docker.io", "library/ubuntu", "latest"),
        ("broadinstitute/gatk:4.5.0.0", "docker.io", "broadinstitute/gatk", "4.5.0.0"),
        ("a/b/c/d", "docker.io", "a/b/c/d", "latest"),
        (
            "quay.io/biocontainers/samtools:1.17--h00cdaf9_0",
            "quay.io",
            "biocontainers/samtools",
            "1.17--h00cdaf9_0",
        ),
        ("localhost/x", "localhost", "x", "latest"),
        ("localhost:5000/x", "localhost:5000", "x", "latest"),
        ("registry:5000/x:1", "registry:5000", "x", "1"),
        ("10.0.0.1:443/a__b/c-d", "10.0.0.1:443", "a__b/c-d", "latest"),
        (f"ubuntu@{DIGEST}", "docker.io", "library/ubuntu", DIGEST),
        (f"ubuntu:{DIGEST}", "docker.io", "library/ubuntu", DIGEST),
        (f"ubuntu:20.04@{DIGEST}", "docker.io", "library/ubuntu", f"20.04@{DIGEST}"),
        (f"h:5000/x:1@{DIGEST}", "h:5000", "x", f"1@{DIGEST}"),
    ],
)
def test_a_name_is_taken_apart_as_every_program_does(text, host, path, version):
    found = parse(text)
    assert (found.host, found.path, found.version) == (host, path, version)
    assert parse(str(found)) == found
    assert all(parse(f"{one}:1").name in {found.name, one} for one in found.spellings)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "such as"),
        ("Ubuntu", "small letters"),
        ("ubuntu:", "such as"),
        ("ubuntu@sha256:71cd", "64 hexadecimal"),
        ("ubuntu@md5:71cd", "64 hexadecimal"),
        ("library://a/b", "library is no kind of registry"),
        ("a b", "such as"),
        ("../x", "such as"),
        ("ubuntu;id", "such as"),
        ("-x", "such as"),
        ("ubuntu:20.04\nx", "such as"),
    ],
)
def test_what_is_no_name_is_refused_in_words(text, word):
    with pytest.raises(UsageError, match=word):
        parse(text)


def test_what_cromwell_makes_of_a_short_name_elsewhere_is_understood():
    asked = parse("localhost:5000/library/x:1")
    assert [str(one) for one in asked.meant] == ["localhost:5000/library/x:1", "localhost:5000/x:1"]
    assert parse("library/ubuntu").meant == (parse("ubuntu"),)
