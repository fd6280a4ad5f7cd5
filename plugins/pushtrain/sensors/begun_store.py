"""Tells a store that was never begun from one whose disk is not mounted."""

from __future__ import annotations

from airflow.sdk import Variable

from pushtrain.adapters.store import Store
from pushtrain.errors import OutsideError
from pushtrain.settings import Settings

VARIABLE = "pushtrain_store"


def begun_store(config: Settings) -> Store:
    """Return the store, begun if Airflow knows of none at this place.

    An empty folder may be a new store or the place of a disk that is not mounted; only Airflow's
    database can tell. It remembers where the store was begun; lost, it learns it again from a
    store that is there. Nothing but the first task of each DAG begins a store.

    Raises:
        OutsideError: There was a store here, and there is none now.
    """
    store, known = Store(config.store_path), Variable.get(VARIABLE, default="")
    place = str(store.root)
    if not store.is_there():
        if known == place:
            raise OutsideError(
                f"the store is not at {place} any more: mount its disk, and all goes on by itself; "
                f"to begin a new one there, delete Airflow's variable {VARIABLE!r}"
            )
        store.begin()
    if known != place:
        Variable.set(VARIABLE, place, description="Where pushtrain's store was begun")
    return store
