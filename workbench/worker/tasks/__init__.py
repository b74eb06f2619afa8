"""The tasks of the workbench: functions marked with `@task`, each in the module that its name begins with."""
