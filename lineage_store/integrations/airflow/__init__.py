"""The hook of Apache Airflow; `hook` is the module that the tool loads."""
