from __future__ import annotations

import re
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

from pushtrain.contract import TRAIN_DAG

ROOT = Path(__file__).parents[2]


def test_the_picture_in_the_readme_is_the_dag() -> None:
    dag = DagBag(dag_folder=str(ROOT / "dags")).dags[TRAIN_DAG]
    edges = {(t.task_id, after) for t in dag.tasks for after in t.downstream_task_ids}
    picture = (ROOT / "README.md").read_text(encoding="utf-8").split("```mermaid")[1]
    drawn = set(re.findall(r"(\w+) --> (\w+)", picture.split("```")[0]))
    assert drawn == edges
