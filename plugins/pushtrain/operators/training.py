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
from pushtrain.adapters.container_ends import end_of, seen, start
from pushtrain.adapters.container_lines import Line, follow
from pushtrain.adapters.store import Store
from pushtrain.adapters.training_container import container_name, round_labels, spec_of
from pushtrain.analysis.families import image_of
from pushtrain.contract import Attempt, Cause, Experiment, Family, Step
from pushtrain.errors import (
    ConfigurationError,
    EngineUnreachableError,
    OutsideError,
    StoreError,
)
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
            OutsideError: Such as an engine that does not answer, or a full disk; Airflow's retry
                may not meet it again.
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
                self._clear_away(config, step)
                return self._outcome(context, store, step, done)
            experiment = store.experiment(step.experiment)
            if experiment.step != asked:  # a person cleared an old run; it must not fence this one
                raise StoreError(f"{asked.run_id} is past, {experiment.step.run_id} is trained now")
            attempt = self._run(config, store, experiment, step)
        except EngineUnreachableError:
            # should the training go down with its engine, then that is to blame
            mark(store, step, Cause.HOST_LOST, "the container engine did not answer")
            raise
        except (ConfigurationError, StoreError) as err:
            raise AirflowFailException(str(err)) from err
        return self._outcome(context, store, step, attempt)

    def _run(
        self, config: settings.Settings, store: Store, experiment: Experiment, step: Step
    ) -> Attempt:
        known = store.attempt(step.experiment, step.round, step.attempt)
        if known and known.ended_at is not None:
            # A person cleared the task, or it lost its worker in that moment. An attempt is one
            # container: what follows its end is the monitor's to decide.
            return known
        engine.require_engine(config.docker_url)  # Airflow's hook does not say what to do
        with engine.clear_errors(config.docker_url):
            store.lease(experiment.step, step.round)
            labels, name = round_labels(config, step), container_name(config, step)
            for gone in engine.remove_others(self.cli, labels, keep=name, up_to=step.attempt):
                self.log.info("removed the container of an older attempt: %s", gone)
            found = engine.find(self.cli, name)
            if not found and known and known.container_id:
                return close_attempt(store, step, end_of(self.cli, name), [])
            made = found or self._created(config, store, experiment, step)
            return self._followed(store, step, known or self._started(config, store, step), made)

    def _created(
        self, config: settings.Settings, store: Store, experiment: Experiment, step: Step
    ) -> dict[str, Any]:
        image = config.image(image_of(self.family, experiment.api))
        engine.require_image(self.cli, image)
        lay_beginnings(store, experiment, step)
        spec = spec_of(self.cli, config, store, experiment, step, image)
        made = engine.create(self.cli, spec)
        return self.cli.inspect_container(made)  # type: ignore[no-any-return]  # docker has no types

    def _followed(
        self, store: Store, step: Step, attempt: Attempt, container: dict[str, Any]
    ) -> Attempt:
        """Start the attempt's container, or take it over, and follow it to its end."""
        status, self._container = container["State"]["Status"], container["Id"]
        begun = dataclasses.replace(
            attempt, container_id=container["Id"], image=container["Config"]["Image"]
        )
        if status in ("created", "running") and begun.cause is Cause.HOST_LOST:
            # the engine went away, and did not end it
            begun = dataclasses.replace(begun, cause=None, message="")
        if store.put_attempt(step.experiment, step.round, begun) != begun:
            raise StoreError(f"{step.run_id} was ended meanwhile")
        if status == "created":
            self.log.info("starting %s (%s)", begun.container, begun.image)
            if refused := start(self.cli, self._container):
                return close_attempt(store, step, refused, [])
        else:
            self.log.info("taking over %s (%s)", begun.container, status)
        return self._follow(store, step)

    def _started(self, config: settings.Settings, store: Store, step: Step) -> Attempt:
        before = store.attempts(step.experiment, step.round)
        return Attempt(
            number=step.attempt,
            run_id=self._ti.run_id,
            container=container_name(config, step),
            image="",  # the container says it
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

        line = Line.LATE
        # a container that was removed meanwhile has no more lines; its end is judged below
        with contextlib.suppress(NotFound):
            line = follow(self.cli, self._container, on_line)
        end = end_of(self.cli, self._container)
        is_killed = line is Line.HELD and end.cause is Cause.KILLED
        if is_killed and not engine.is_there(str(self.docker_url)):
            line = Line.BROKEN  # an engine that is stopped ends its containers first
        end = seen(end, line)
        attempt = close_attempt(store, step, end, list(tail))
        if deciding_attempt(step.round, [attempt]):  # no later attempt removes it
            engine.remove(self.cli, self._container)
        return attempt

    def _clear_away(self, config: settings.Settings, step: Step) -> None:
        """Remove what a task left that was killed once the end was on record."""
        try:
            engine.require_engine(config.docker_url)
            with engine.clear_errors(config.docker_url):
                labels = round_labels(config, step)
                engine.remove_others(self.cli, labels, keep="", up_to=step.attempt)
        except OutsideError as err:  # the training is done all the same
            self.log.warning("a container of round %d may be left: %s", step.round, err)

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
