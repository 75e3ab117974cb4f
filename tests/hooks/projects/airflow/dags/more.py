"""Features beyond the churn pipeline: mapped tasks, XComs by hand, skipped tasks, remote assets."""

from pathlib import Path

from airflow.sdk import Asset, AssetAlias, ObjectStoragePath, dag, task
from airflow.sdk.exceptions import AirflowSkipException

NOTES = Path(__file__).parents[1] / "data" / "notes.txt"
MODEL = Asset(name="model", uri="s3://models/churn")


@task
def append():
    with ObjectStoragePath(f"file://{NOTES}").open() as file:
        text = file.read()
    with ObjectStoragePath(f"file://{NOTES}").open("w") as file:
        file.write(f"{text}more\n")


@dag(schedule=None)
def more():
    @task
    def numbers():
        return [1, 2, 3]

    @task
    def double(x, factor):
        return x * factor

    @task
    def total(values):
        return sum(values)

    @task
    def by_hand(ti):
        ti.xcom_push("largest", max(ti.xcom_pull("numbers")))

    @task
    def nothing():
        raise AirflowSkipException

    @task
    def after_nothing():
        pass

    @task(outlets=[MODEL, AssetAlias("found")])
    def publish(password, *, outlet_events):
        outlet_events[MODEL].extra = {"rows": 3}
        outlet_events[AssetAlias("found")].add(Asset(name="other", uri="s3://models/other"))

    several = numbers()
    total(double.partial(factor=2).expand(x=several))
    several >> by_hand()
    nothing() >> after_nothing()
    publish(password="a secret")
    append()


@dag(schedule=None)
def reader():
    @task(inlets=[MODEL])
    def read():
        pass

    read()


more()
reader()
