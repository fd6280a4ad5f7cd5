"""
### Push a training script; it trains until it is good

One run of this DAG is one of three things:

* **a watch**: the schedule starts it, `wait_for_push` waits for a push (no worker slot is held),
  and `start_runs` starts a run for every script that the push changed;
* **a request by hand**: *Trigger* or `airflow dags trigger mlops_train`. Without params it trains
  every script at the head of the watched branch now; with `script` just that one;
* **a step**: one round of one script, or several candidates side by side, run id
  `<experiment>.r<first round>.a<attempt>`. While the accuracy is below the target, `tweak_model`
  commits a small change of the script for each and `retrain` starts the next step.

Trainings take slots of the pool `pushtrain`: it bounds how many containers train at once.

**If a step fails**, do nothing: `mlops_monitor` starts it again from its last checkpoint, or gives
it up and mails why; trigger this DAG with its id as `resume` to take it up again. To stop a
training, mark its `train_...` task as failed. To go on with an experiment that has ended, trigger
this DAG with its `ref` and `script` and a larger budget.

The experiments, their curves and models are in the store; an Airflow database that is lost loses
none of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronTriggerTimetable, TaskGroup, task

from pushtrain.contract import POOL, TRAIN_DAG, TRAINABLE
from pushtrain.operators.announcing import MODEL_PUBLISHED
from pushtrain.operators.train_params import PARAMS
from pushtrain.operators.training import TrainingOperator
from pushtrain.sensors.push import PushSensor

WINDOW = timedelta(minutes=5)  # one grid row per window; the schedule has the same length
# A task that lost its worker, its engine or the model repo comes back to the same work.
PATIENT = {"retries": 10, "retry_delay": timedelta(seconds=15)}
BRIEF = {"retries": 3, "retry_delay": timedelta(seconds=5)}

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
    wait_for_push = PushSensor(
        task_id="wait_for_push", window=WINDOW, **BRIEF,
        doc_md="Wait for a push that changes a script; a request by hand or a step passes at once.",
    )  # fmt: skip

    @task(**PATIENT)
    def fetch_code(request: dict) -> list[dict] | list[int]:
        """Lay the rounds' trees out, or find what to train and have it started."""
        from pushtrain.operators import fetching  # parsing the DAG needs none of it

        return fetching.fetch_code(request)

    @task.branch(**BRIEF)
    def choose_image() -> str:
        """Read the script's code; never its file name, never by running it."""
        from pushtrain.operators import choosing, current  # as above

        step = current.current_step()
        return choosing.choose_image(step) if step else "start_runs"

    @task(retries=0)
    def unsupported() -> None:
        """Fail with what was found, and mail it."""
        from pushtrain.operators import current, notifying  # as above

        notifying.refuse(current.required_step())

    @task(trigger_rule="none_failed_min_one_success", **BRIEF)
    def collect_metrics() -> dict:
        """Read the result records and keep the best round so far."""
        from pushtrain.operators import current, measuring  # as above

        return measuring.collect_metrics(current.required_step())

    @task.short_circuit(ignore_downstream_trigger_rules=False, **BRIEF)
    def below_target() -> bool:
        """Go on only below the target and within the budget."""
        from pushtrain.operators import current, measuring  # as above

        return measuring.below_target(current.required_step())

    @task(**PATIENT)
    def tweak_model() -> list[dict]:
        """Write the next version of the script, or several side by side, and commit them."""
        from pushtrain.operators import current, tweaking  # as above

        return tweaking.tweak_model(current.required_step())

    @task(trigger_rule="none_failed_min_one_success", outlets=[MODEL_PUBLISHED], **BRIEF)
    def publish_best() -> str:
        """Publish the best round, once the loop has ended, and tell DAGs that wait for it."""
        from pushtrain.operators import announcing, current, publishing  # as above

        folder = publishing.publish_best(current.required_step())
        announcing.announce(current.required_step())
        return folder

    @task(**BRIEF)
    def notify() -> None:
        """Mail how it ended."""
        from pushtrain.operators import current, notifying  # as above

        notifying.notify_outcome(current.required_step())

    start_runs, retrain = (
        TriggerDagRunOperator.partial(
            task_id=name, trigger_dag_id=TRAIN_DAG, logical_date=None,
            skip_when_already_exists=True, doc_md=doc, **BRIEF,
        ) for name, doc in (
            ("start_runs", "Start a run for every script to train, and go on watching."),
            ("retrain", "Start the next step with the tweaked script."),
        )
    )  # fmt: skip
    fetched, collected, tweaked = fetch_code(wait_for_push.output), collect_metrics(), tweak_model()
    retrained = retrain.expand_kwargs(tweaked)
    # one mapped task per round: the candidates of a step train side by side
    with TaskGroup("train", prefix_group_id=False, tooltip="One of them, by the script's code"):
        train = [
            TrainingOperator.partial(
                task_id=f"train_{f}", family=f, pool=POOL, map_index_template="{{ label }}",
                doc_md="Train one round in its image, or take over a container that trains it.",
                **PATIENT,
            ).expand(round_number=fetched)
            for f in TRAINABLE
        ]  # fmt: skip

    fetched >> choose_image() >> [start_runs.expand_kwargs(fetched), *train, unsupported()]
    train >> collected >> below_target() >> tweaked
    [collected, retrained] >> publish_best() >> notify()
