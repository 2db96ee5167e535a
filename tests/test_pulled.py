"""What became of a run's images: told as it goes, and in place of an engine's riddles."""

import pytest

from cromwell_userdb.pulled import BEGUN, DONE, FAILED, Pull, explained, tell, told

WORDS = "There is no such image: quay.io has no version 2 of lab/x."


def test_what_is_told_is_read_back_line_by_line_and_by_nobody_else(tmp_path):
    file = tmp_path / "pulls.jsonl"
    assert not list(told(file))
    tell(file, "ubuntu:20.04", BEGUN)
    tell(file, "ubuntu:20.04", DONE)
    with file.open("a") as half:
        half.write('{"when')
    assert [str(one) for one in told(file)] == ["pulling ubuntu:20.04", "ubuntu:20.04 is here"]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        ("quay.io/lab/x:2", "quay.io/lab/x:2"),
        ("ubuntu", "ubuntu:latest"),
        ("docker.io/library/ubuntu", "docker.io/library/ubuntu:latest"),
        ("localhost:5000/x:2", "localhost:5000/library/x:2"),
    ],
)
@pytest.mark.parametrize(
    "message",
    [
        "No coercion defined from '{}' of type 'cromwell.backend.validation.Containers' to 'S'.",
        "Docker image {} not found",
    ],
)
def test_a_missing_image_is_said_in_place_of_a_riddle(message, named, asked):
    assert explained(message.format(named), [Pull("", asked, FAILED, WORDS)]) == WORDS


@pytest.mark.parametrize(
    ("message", "pulls"),
    [
        ("Job w.t:NA:1 exited with return code 1", [Pull("", "x:2", FAILED, WORDS)]),
        ("Docker image y:2 not found", [Pull("", "x:2", FAILED, WORDS)]),
        ("Docker image x:2 not found", [Pull("", "x:2", DONE)]),
        ("Docker image !! not found", [Pull("", "x:2", FAILED, WORDS)]),
    ],
)
def test_what_is_no_image_of_ours_is_left_as_it_was(message, pulls):
    assert explained(message, pulls) == message
