"""The engine of batch transform, a process of its own: `python -m clary.workload.transform PLAN`.

Reads the objects' files, cuts them into requests, asks the job's replicas, and writes the answers in order. It touches
no database and decides nothing about the job: control tells it what to do by a plan, and hears by lines of JSON.
"""
