"""The tasks `train_<family>`: one attempt of each round of a step, side by side."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections import deque
from typing import Any

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout
from docker.errors import NotFound

from pushtrain import settings
from pushtrain.adapters import engine
from pushtrain.adapters.attempts import close_attempt, mark
from pushtrain.adapters.beginnings import lay_beginnings
from pushtrain.adapters.store import Store
from pushtrain.adapters.training_container import container_name, round_labels, spec_of
from pushtrain.analysis.families import image_of
from pushtrain.contract import Attempt, Cause, Experiment, Family, Step
from pushtrain.errors import ConfigurationError, StoreError
from pushtrain.operators.current import required_step
from pushtrain.operators.training_links import CommitLink, DiffLink, PageLink, show_links
from pushtrain.rules.outcomes import deciding_attempt, told

_TAIL_LINES = 200
_ENDED = frozenset({"failed", "success", "skipped", "removed"})


class TrainingOperator(DockerOperator):
    """Trains one attempt of a round and returns its accuracy; takes over a container that is there.

    It is mapped over the rounds that a step trains side by side, usually one.

    The container's name is made from the attempt, so a task that lost its worker finds the
    container again: running, it is followed to its end; ended, its result is taken. A container
    that failed is never started again here: the task fails at once and the monitor decides. A
    tweak that turned out not to fit, or to lead nowhere, is a trial like others: the task ends
    well, and its label and log say so.

    It does not read the result from the log and unpickles nothing; the accuracy comes from the
    store. The known gap: a container is found only on the engine that this worker talks to.

    Args:
        family: What the image trains.
        round_number: The round; mapped.
    """

    template_fields = ()  # all values come from the store and the settings
    operator_extra_links = (PageLink(), DiffLink(), CommitLink())

    def __init__(self, *, family: Family, round_number: int, **kwargs: Any) -> None:
        super().__init__(image=f"pushtrain-{family}", auto_remove="never", **kwargs)
        self.family = family
        self.round_number = round_number
        self._ti: Any = None
        self.step: Step | None = None
        self._container = ""

    def execute(self, context: Context) -> float | None:  # type: ignore[override]  # not a log line
        """Run the attempt to its end.

        Raises:
            AirflowFailException: The training failed, or can not be started as it is set.
            OutsideError: The engine does not answer; Airflow's retry meets it again.
        """
        asked = required_step()
        step = dataclasses.replace(asked, round=self.round_number)
        self._ti, self.step = context["ti"], step
        show_links(self, self._ti)
        config = settings.load()
        self.docker_url = config.docker_url
        store = Store(config.store_path)
        try:
            done = deciding_attempt(step.round, store.attempts(step.experiment, step.round))
            if done:
                self.log.info("round %d was trained by attempt %d", step.round, done.number)
                return self._outcome(context, store, step, done)
            experiment = store.experiment(step.experiment)
            if experiment.step != asked:  # a person cleared an old run; it must not fence this one
                raise StoreError(f"{asked.run_id} is past, {experiment.step.run_id} is trained now")
            engine.require_engine(config.docker_url)  # Airflow's hook does not say what to do
            with engine.clear_errors(config.docker_url):
                attempt = self._run(config, store, experiment, step)
        except (ConfigurationError, StoreError) as err:
            raise AirflowFailException(str(err)) from err
        return self._outcome(context, store, step, attempt)

    def _run(
        self, config: settings.Settings, store: Store, experiment: Experiment, step: Step
    ) -> Attempt:
        image = config.image(image_of(self.family, experiment.api))
        name = container_name(config, step)
        for gone in engine.remove_others(self.cli, round_labels(config, step), keep=name):
            self.log.info("removed the container of an older attempt: %s", gone)
        store.lease(step.experiment, step.round, step.attempt)
        found = engine.find(self.cli, name)
        attempt = store.attempt(step.experiment, step.round, step.attempt)
        if attempt and attempt.ended_at is not None:
            engine.remove(self.cli, name)  # a person cleared the task: run it again
            found, attempt = None, None
        if not found and attempt and attempt.container_id:
            return close_attempt(store, step, engine.end_of(self.cli, name), [])
        if not found:
            engine.require_image(self.cli, image)
            lay_beginnings(store, experiment, step)
            spec = spec_of(self.cli, config, store, experiment, step, image)
            found = {"Id": engine.create(self.cli, spec), "State": {"Status": "created"}}
        self._container = found["Id"]
        attempt = attempt or self._started(config, store, step, image, name)
        store.save_attempt(
            step.experiment, step.round, dataclasses.replace(attempt, container_id=found["Id"])
        )
        if found["State"]["Status"] == "created":
            self.log.info("starting %s (%s)", name, image)
            self.cli.start(found["Id"])
        else:
            self.log.info("taking over %s (%s)", name, found["State"]["Status"])
        return self._follow(store, step)

    def _started(
        self, config: settings.Settings, store: Store, step: Step, image: str, name: str
    ) -> Attempt:
        before = store.attempts(step.experiment, step.round)
        return Attempt(
            number=step.attempt,
            run_id=self._ti.run_id,
            container=name,
            image=image,
            engine=config.docker_url,
            started_at=time.time(),
            epochs=before[-1].epochs if before else 0,
            work=before[-1].work if before else 0.0,
        )

    def _follow(self, store: Store, step: Step) -> Attempt:
        tail: deque[str] = deque(maxlen=_TAIL_LINES)

        def on_line(line: str) -> None:
            tail.append(line)
            self.log.info("%s", line)

        # a container that was removed meanwhile has no more lines; its end is judged below
        with contextlib.suppress(NotFound):
            engine.follow(self.cli, self._container, on_line)
        end = engine.end_of(self.cli, self._container)
        attempt = close_attempt(store, step, end, list(tail))
        if attempt.cause is Cause.FINISHED:
            engine.remove(self.cli, self._container)
        return attempt

    def _outcome(
        self, context: Context, store: Store, step: Step, attempt: Attempt
    ) -> float | None:
        """Return the accuracy; None for a round that is done without one.

        Raises:
            AirflowFailException: The round has to be started again, or can not be trained.
        """
        if not deciding_attempt(step.round, [attempt]):
            self._label(context, f"round {step.round}: {attempt.cause}")
            raise AirflowFailException(told(attempt))
        if attempt.cause is not Cause.FINISHED:
            self._label(context, f"round {step.round}: {attempt.cause}")
            self.log.warning("round %d ends without a result: %s", step.round, told(attempt))
            return None
        result = store.result(step.experiment, step.round)
        accuracy = result.accuracy if result else None
        shown = "no accuracy" if accuracy is None else f"{accuracy:.4f}"
        self._label(context, f"round {step.round}: {shown}")
        return accuracy

    @staticmethod
    def _label(context: Context, text: str) -> None:
        """Say it in the grid; see `map_index_template` of the DAG."""
        context["label"] = text  # type: ignore[typeddict-unknown-key]  # templates may have own

    def on_kill(self) -> None:
        """Stop the training if a person or a time-out ended the task; else leave it running.

        When a worker or the API server goes away the task is killed, too, but it has not ended in
        Airflow's eyes; its next try takes the container over. So does a task that was cleared.
        """
        if not self._container or not self.step or not self._is_ended():
            return
        store = Store(settings.load().store_path)
        mark(store, self.step, Cause.STOPPED, "the task was ended in Airflow")
        self.cli.stop(self._container)

    def _is_ended(self) -> bool:
        if isinstance(sys.exc_info()[1], AirflowTaskTimeout):
            return True
        ti = self._ti
        try:
            states = ti.get_task_states(
                dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
            )
        except Exception:  # no answer, so nobody decided to stop it
            self.log.warning("no answer from Airflow: the training goes on")
            return False
        return any(state in _ENDED for state in states.get(ti.run_id, {}).values())
