"""Features beyond the churn pipeline: mapped, asynchronous and cached tasks, a flow within."""

import asyncio

from prefect import flow, task
from prefect.assets import materialize
from prefect.cache_policies import INPUTS


@task
def numbers():
    return [1, 2, 3]


@task
def double(x, factor):
    return x * factor


@task(cache_policy=INPUTS, persist_result=True)
async def total(values):
    await asyncio.sleep(0)
    return sum(values)


@materialize("s3://models/churn")
def publish():
    pass


@flow
def within(start):
    return double(start, 10)


@flow
async def more():
    several = double.map(numbers.submit(), factor=2)
    for _ in range(2):
        print(await total(several))
    print(within(start=4))
    publish()


if __name__ == "__main__":
    asyncio.run(more())
    numbers()
