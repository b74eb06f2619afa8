"""The tasks of the workbench: every module here is searched for functions marked with `@task`."""
