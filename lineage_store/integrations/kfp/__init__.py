"""The hook of Kubeflow Pipelines; `hook` is the module that the tool loads."""
