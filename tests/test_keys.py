"""What Cromwell knows, what a typo means, and what people regret."""

from __future__ import annotations

import time

import pytest

from cromwell_userdb import hocon, keys, traps

PROVIDER = "backend.providers.slurm.config"
SFS = 'actor-factory = "cromwell.backend.impl.sfs.config.ConfigBackendLifecycleActorFactory"'
WHOLE = """
backend { default = slurm, providers.slurm {
  %s
  config {
    root = "/scratch/ada"
    runtime-attributes = "Int cpu = 1\\nString? queue\\nFloat memory_gb = 1.5"
    submit = "sbatch -n ${cpu} ${'-p ' + queue} -D ${cwd} ${script} $HOME"
    kill = "scancel ${job_id}"
    check-alive = "squeue -j ${job_id} $0"
    exit-code-timeout-seconds = 60
    job-id-regex = "^(\\\\d+)"
    %%s
  }
} }
""".replace("%s", SFS, 1).replace("%%s", "%s")


def lint(text: str) -> list[str]:
    return keys.lint(hocon.parse(text, origin="c"), used=hocon.references(text))


def regrets(text: str) -> list[str]:
    return traps.traps(hocon.parse(text, origin="c"))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("call-cachng.enabled", "call-caching"),
        ("call-caching.enabeld", "call-caching.enabled"),
        ("call-caching.Enabled", "call-caching.enabled"),
        ("system.job_rate_control.jobs", "system.job-rate-control"),
        ("system.io.number-of-requests", "system.io.throttle.number-of-requests"),
        ("system.jobs", "system.job-rate-control.jobs"),
        ("services.MetadataService.db-flush-rate", "services.MetadataService.config.db-flush-rate"),
        ("services.MetadataServce.config", "services.MetadataService"),
        ("database.driver", "database.db.driver"),
        ("akak.actor", "akka"),
        (f"{PROVIDER}.concurent-job-limit", f"{PROVIDER}.concurrent-job-limit"),
        (f"{PROVIDER}.check-alive-docker", f"{PROVIDER}.check-alive"),
        (
            f"{PROVIDER}.hashing-strategy",
            f"{PROVIDER}.filesystems.local.caching.hashing-strategy",
        ),
        (
            f"{PROVIDER}.filesystems.local.caching.hasing-strategy",
            f"{PROVIDER}.filesystems.local.caching.hashing-strategy",
        ),
        (f"{PROVIDER}.filesystems.lcoal.localization", f"{PROVIDER}.filesystems.local"),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_is_meant(wrong, right):
    (problem,) = lint(f"{wrong} = 1")
    assert problem.endswith(f"Cromwell knows no such key. Did you mean {right}?")
    assert wrong.startswith(problem.partition(":")[0])


def test_a_reference_to_a_section_of_cromwells_excuses_nothing_in_it():
    text = "mine = ${system.job-shell}\nsystem { job-shell = ${mine}, jobs = 1 }\n"
    tree = {"mine": "x", "system": {"job-shell": "x", "jobs": 1}}
    (problem,) = keys.lint(tree, used=hocon.references(text))
    assert problem.startswith("system.jobs: ")


def test_a_key_like_no_other_is_told_without_a_guess():
    assert lint("zzyzx = 1") == ["zzyzx: Cromwell knows no such key."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("call-caching.enabled = maybe", "call-caching.enabled takes true or false, not 'maybe'."),
        ("system.job-rate-control.jobs = many", "takes a whole number, not 'many'."),
        ("system.job-rate-control.jobs = 1.5", "takes a whole number, not 1.5."),
        ("system.job-rate-control.per = soon", "takes a time, such as \"5 seconds\", not 'soon'."),
        ("system.io = 5", "system.io is a section: it takes { … }, not 5."),
        ("system.job-shell { a = 1 }", "system.job-shell takes text, not a section."),
        ("system.job-shell = [a]", "system.job-shell takes text, not ['a']."),
        ("system.memory-retry-error-keys = Killed", "takes a list in [ ], not 'Killed'."),
        (
            "docker.hash-lookup.method = locl",
            "takes local, remote, not 'locl'. Did you mean local?",
        ),
        (
            "workflow-options.workflow-failure-mode = NoNewCals",
            "takes NoNewCalls, ContinueWhilePossible, not 'NoNewCals'. Did you mean NoNewCalls?",
        ),
        (
            f"{PROVIDER}.filesystems.local.caching.hashing-strategy = fingerprnt",
            "Cromwell would only compare paths. Did you mean fingerprint?",
        ),
        (
            f"{PROVIDER}.filesystems.local.localization = [hard-link, softlink]",
            "takes hard-link, soft-link, copy, cached-copy, not 'softlink'. "
            "Did you mean soft-link?",
        ),
        (
            f"{PROVIDER}.filesystems.local.localization = copy",
            "takes a list, such as [\"hard-link\"], not 'copy'.",
        ),
        (
            "backend { default = slrm, providers.slurm.config.root = /x }",
            "backend.default is 'slrm', and there is no such provider. Did you mean slurm?",
        ),
    ],
)
def test_a_value_that_cromwell_would_not_take_is_told_with_what_it_takes(text, words):
    (problem,) = lint(text)
    assert words in problem


@pytest.mark.parametrize(
    "text",
    [
        "call-caching { enabled = yes, max-result-age-days = 10 }",
        'system.job-rate-control { jobs = "20", per = 10 seconds }',
        "services.MetadataService.config.metadata-summary-refresh-interval = Inf",
        "akka.dispatchers.my-dispatcher { type = Dispatcher, throughput = 1 }",
        f"{PROVIDER}.default-runtime-attributes {{ queue = short, anything = 1 }}",
        f"{PROVIDER}.runtime-attributes-for-caching.queue = true",
        "backend.providers.any-name.config.concurrent-job-limit = 5",
        "backend.providers.tes { actor-factory = x.TesBackend, config.endpoint = y }",
        "services.MetadataService { class = my.Service, config.topic = x }",
        'languages.WDL.versions { "1.1" { config { strict-validation = false } } }',
        "database.metadata { profile = x, db { url = y, numThreads = 2 } }",
        "mine { root = /x }\nbackend.providers.slurm.config.root = ${mine.root}",
        "system.job-shell = null",
        f'backend.providers.Local {{ {SFS}, config.submit = "nice ${{docker_user}}" }}',
        WHOLE % "",
    ],
)
def test_what_cromwell_knows_and_what_is_the_users_to_name_is_left_alone(text):
    assert lint(text) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("${cpu}", "${cpus}", "submit uses ${cpus}, which is neither Cromwell's nor"),
        ("$HOME", "${HOME}", "has to be $HOME, without braces"),
        ("submit =", "submt =", 'config has no "submit"'),
        ("job-id-regex =", "slow-job-warning-time = 1s #", 'config has no "job-id-regex"'),
        ("(\\\\d+)", "\\\\d+", "job-id-regex needs exactly one group"),
        ("squeue -j ${job_id}", "squeue ${cwd}", "check-alive uses ${cwd}"),
    ],
)
def test_a_provider_that_cromwell_would_only_hang_on_is_told_at_once(before, after, words):
    text = WHOLE % ""
    assert before in text
    assert any(words in problem for problem in lint(text.replace(before, after)))


def test_functions_options_and_words_in_a_template_are_no_variables():
    command = "${default=\\\"x\\\" queue} ${if defined(queue) then '-p' else ''} ${sep=' ' cpu}"
    assert lint(WHOLE % f'submit-docker = "{command}", kill-docker = "x"') == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("call-caching.enabled = no", "nothing is cached"),
        ("call-caching.invalidate-bad-cache-results = true", "lost to the cache for ever"),
        ("system.abort-jobs-on-terminate = false", "after Ctrl-C the jobs go on"),
        (
            "services.MetadataService.config.metadata-summary-refresh-interval = Inf",
            "and never end",
        ),
        ("database.liquibase.updateSchema = true", "several runs at once"),
        ('database.db.url = "jdbc:mysql://elsewhere/x"', "another database"),
        ("services.KeyValue.config.db-flush-rate = 5", 'say "5 seconds"'),
        (
            f"{PROVIDER}.filesystems.local {{ localization = [hard-link, copy], "
            'caching.hashing-strategy = "path+modtime" }',
            'Begin with "soft-link".',
        ),
        (
            f"{PROVIDER}.filesystems.local.caching {{ duplication-strategy = [copy], "
            "hashing-strategy = fingerprint }",
            "gives a file another time",
        ),
        (WHOLE.replace("kill =", "killer =") % "", 'has no "kill"'),
        (WHOLE % 'submit-docker = "x"', 'has no "kill-docker"'),
        (WHOLE.replace("String? queue", "String? docker") % "", 'has no "submit-docker"'),
        (WHOLE.replace("exit-code-timeout", "exit") % "", "waited for for ever"),
        (WHOLE.replace("sbatch", "sbatch --wait") % "", "no more than some forty calls"),
        (WHOLE.replace("/scratch", "scratch") % "", "calls run wherever Cromwell was started"),
    ],
)
def test_what_people_regret_is_told(text, words):
    (regret,) = regrets(text)
    assert words in regret


@pytest.mark.parametrize("text", ["", "a = 1", WHOLE % "", "backend = 1", "database { db = x }"])
def test_what_nobody_regrets_is_left_alone(text):
    assert regrets(text) == []


def test_a_look_at_every_key_is_quick():
    tree = hocon.parse(WHOLE % "", origin="c") | {"misspelt": 1, "systm": {"jobs": 1}}
    begin = time.process_time()
    assert len(keys.lint(tree)) == 2
    assert time.process_time() - begin < 0.05
