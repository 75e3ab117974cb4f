"""Tasks that can be skipped in all the ways there are, and tasks that never are."""

import asyncio
import os
from pathlib import Path

from prefect import flow, task
from prefect.assets import materialize
from prefect.cache_policies import INPUTS, NO_CACHE


def signals():
    return Path(os.environ["CHURN_SIGNALS"])


def called(name):
    with (signals() / "calls").open("a") as calls:
        calls.write(f"{name}\n")


class Unknown:
    """Of no type that a fingerprint is known of."""

    def __init__(self):
        self.moving = iter([1])


@task
def double(x):
    called("double")
    return x * 2


@task
async def total(values):
    called("total")
    await asyncio.sleep(0)
    return sum(values)


@task
async def twin(x):
    called("twin")
    await asyncio.sleep(0.2)
    return x


@task(persist_result=False)
def forgotten(x):
    called("forgotten")
    return x


@task(cache_policy=INPUTS)
def own_policy(x):
    called("own_policy")
    return x


@task(cache_policy=NO_CACHE)
def no_policy(x):
    called("no_policy")
    return x


@task(refresh_cache=True)
def refreshed(x):
    called("refreshed")
    return x


@task
def nothing(x):
    called("nothing")


@task
def unknown():
    called("unknown")
    return Unknown()


@task
def given(unknown):
    called("given")
    return 1


@task
def given_directly(unknown):
    called("given_directly")
    return 1


@task
def parts():
    called("parts")
    yield 1
    yield 2


@materialize("s3://models/kept")
def asset():
    called("asset")
    return 1


@task(retries=1)
def flaky(x):
    called("flaky")
    signal = signals() / "flaky-flaky"
    if signal.exists():
        signal.unlink()
        raise RuntimeError("once")
    return x


@flow
def within(x):
    return double(x)


@flow
async def kept():
    several = double.map([1, 2, int(os.environ.get("THIRD", "3"))])
    await total(several)
    assert await asyncio.gather(twin(1), twin(1)) == [1, 1]
    for one in (forgotten, own_policy, no_policy, refreshed, nothing, flaky):
        one(1)
    given(unknown())
    given_directly(Unknown())
    list(parts())
    asset()
    within(4)


if __name__ == "__main__":
    asyncio.run(kept())
