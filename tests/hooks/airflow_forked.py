"""Runs commands of Airflow one after the other, each in a fork of a process that has loaded it.

Run by Airflow's interpreter. Each line that it reads has a command in JSON: its arguments, its
environment, and the file for its output; each line that it writes has the exit code of one.
The messages of Airflow while it is loaded go to standard error.

To load Airflow and its API takes longer than a run. The fork comes before any plugin: the hook is
found and begins in the fork, as it does in a process of its own.
"""

import gc
import json
import os
import sys


def loaded():
    """Return the command of Airflow, when all is loaded that it needs for runs."""
    import airflow.api.client.local_client
    import airflow.cli.commands.dag_command  # noqa: F401
    import alembic.command  # noqa: F401
    from airflow.__main__ import main
    from airflow.sdk.execution_time.supervisor import in_process_api_server

    in_process_api_server().app._cadwyn_initialize()  # what its first request does
    assert "lineage_store.integrations.airflow.hook" not in sys.modules
    gc.freeze()  # else each fork walks over all of it when it ends
    return main


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    command = loaded()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(**json.loads(line))
            sys.exit(command())
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def become(arguments, environment, printed):
    """Make this process the one that a shell would have started."""
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["airflow", *arguments]
    for path, flags, streams in ((os.devnull, os.O_RDONLY, [0]), (printed, os.O_WRONLY, [1, 2])):
        opened = os.open(path, flags)
        for stream in streams:
            os.dup2(opened, stream)


if __name__ == "__main__":
    main()
