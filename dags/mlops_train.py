"""
### Push a training script; it trains until it is good

One run of this DAG is one of three things:

* **a watch**: the schedule starts it, `wait_for_push` waits for a push (no worker slot is held),
  and `start_runs` starts a run for every script that the push changed;
* **a request by hand**: *Trigger* or `airflow dags trigger mlops_train`. Without params it trains
  every script at the head of the watched branch now; with `script` just that one;
* **a step**: one training of one script, run id `<experiment>.r<round>.a<attempt>`. While the
  accuracy is below the target, `tweak_model` commits a small change of the script and `retrain`
  starts the next round.

**If a step fails**, do nothing: `mlops_monitor` starts it again from its last checkpoint, or gives
it up and mails why. To stop a training, mark its `train_...` task as failed. To go on with an
experiment that has ended, trigger this DAG with its `ref` and `script` and a larger budget.

The experiments, their curves and models are in the store; an Airflow database that is lost loses
none of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronTriggerTimetable, Param, task

from pushtrain.contract import TRAIN_DAG, TRAINABLE
from pushtrain.operators.training import TrainingOperator
from pushtrain.sensors.push import PushSensor

WINDOW = timedelta(minutes=5)  # one grid row per window; the schedule has the same length
# A task that lost its worker, its engine or the model repo comes back to the same work.
PATIENT = {"retries": 10, "retry_delay": timedelta(seconds=15)}
BRIEF = {"retries": 3, "retry_delay": timedelta(seconds=5)}
LOOP = "Set by the loop itself"


def optional(kind: str, title: str, description: str, **rules: object) -> Param:
    """Return a param that may be left empty; the model repo's pyproject.toml decides then."""
    return Param(None, type=["null", kind], title=title, description=description, **rules)


PARAMS = {
    "script": optional("string", "Script", "Path in the repo; empty: all.", pattern=r"^[^-/]"),
    "ref": optional("string", "Ref", "Branch, tag or commit; empty: head.", pattern=r"^[^-]"),
    "repo_url": optional(
        "string", "Model repo", "Empty: the watched one.", pattern="^(https://|ssh://|git@|file://)"
    ),
    "target_accuracy": optional("number", "Target", "Accuracy, 0 to 1.", minimum=0, maximum=1),
    "max_rounds": optional("integer", "Rounds", "At most, the pushed one included.", minimum=1),
    "patience": optional("integer", "Patience", "Rounds without gain that end it.", minimum=1),
    "max_hours": optional("number", "Hours", "At most, over all rounds.", exclusiveMinimum=0),
    "memory": optional("integer", "Memory", "MiB, a hard limit.", minimum=64),
    "cpus": optional("number", "CPUs", "A hard limit; 0.5 is half a CPU.", minimum=0.1),
    "gpus": optional("integer", "GPUs", "Needs the GPU images.", minimum=0),
    "network": optional("boolean", "Network", "Whether the training may reach it."),
    "data": optional("array", "Data", "Host folders, mounted read-only.", items={"type": "string"}),
    "notify": optional("array", "Notify", "E-mail addresses.", items={"type": "string"}),
    "experiment": optional("string", "Experiment", "Leave empty.", section=LOOP),
    "round": optional("integer", "Round", "Leave empty.", minimum=0, section=LOOP),
    "attempt": optional("integer", "Attempt", "Leave empty.", minimum=1, section=LOOP),
    "watch_until": optional("number", "Watch until", "Leave empty.", section=LOOP),
}

with DAG(
    dag_id=TRAIN_DAG,
    doc_md=__doc__,
    schedule=CronTriggerTimetable("*/5 * * * *", timezone="UTC", run_immediately=True),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=64,
    params=PARAMS,
    tags=["pushtrain"],
) as dag:
    wait_for_push = PushSensor(task_id="wait_for_push", window=WINDOW, **BRIEF)

    @task(**PATIENT)
    def fetch_code(request: dict) -> list[dict]:
        """Lay the round's tree out, or find what to train and have it started."""
        from pushtrain.operators import fetching  # parsing the DAG needs none of it

        return fetching.fetch_code(request)

    @task.branch(**BRIEF)
    def choose_image() -> str | None:
        """Read the script's code; never its file name, never by running it."""
        from pushtrain.operators import choosing, current  # as above

        step = current.current_step()
        return choosing.choose_image(step) if step else None

    @task(retries=0)
    def unsupported() -> None:
        """Fail with what was found, and mail it."""
        from pushtrain.operators import current, notifying  # as above

        notifying.refuse(current.required_step())

    @task(trigger_rule="none_failed_min_one_success", **BRIEF)
    def collect_metrics() -> dict:
        """Read the result record and keep the best round so far."""
        from pushtrain.operators import current, measuring  # as above

        return measuring.collect_metrics(current.required_step())

    @task.short_circuit(ignore_downstream_trigger_rules=False, **BRIEF)
    def below_target() -> bool:
        """Go on only below the target and within the budget."""
        from pushtrain.operators import current, measuring  # as above

        return measuring.below_target(current.required_step())

    @task(**BRIEF)
    def tweak_model() -> list[dict]:
        """Write the next version of the script and commit it."""
        from pushtrain.operators import current, tweaking  # as above

        return tweaking.tweak_model(current.required_step())

    @task(trigger_rule="none_failed_min_one_success", **BRIEF)
    def publish_best() -> str:
        """Publish the best round, once the loop has ended."""
        from pushtrain.operators import current, publishing  # as above

        return publishing.publish_best(current.required_step())

    @task(**BRIEF)
    def notify() -> None:
        """Mail how it ended."""
        from pushtrain.operators import current, notifying  # as above

        notifying.notify_outcome(current.required_step())

    start_runs, retrain = (
        TriggerDagRunOperator.partial(
            task_id=name, trigger_dag_id=TRAIN_DAG, logical_date=None,
            skip_when_already_exists=True, **BRIEF,
        ) for name in ("start_runs", "retrain")
    )  # fmt: skip
    fetched, collected, tweaked = fetch_code(wait_for_push.output), collect_metrics(), tweak_model()
    retrained = retrain.expand_kwargs(tweaked)
    train = [TrainingOperator(task_id=f"train_{f}", family=f, **PATIENT) for f in TRAINABLE]

    start_runs.expand_kwargs(fetched)
    fetched >> choose_image() >> [*train, unsupported()]
    train >> collected >> below_target() >> tweaked
    [collected, retrained] >> publish_best() >> notify()
