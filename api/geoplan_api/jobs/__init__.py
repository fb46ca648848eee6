"""Long work in the background: a table of jobs, a queue, and one child process for each job that runs.

    route ─► JobDesk.submit ─► table (geoplan.db) + queue (queue.db, huey)
                                   │ a thread of the consumer takes it
                               watch.Run ─► child process: kinds.Work(task, progress)
                                   │ lines of JSON: how far, the result, the refusal
                               table: stage, heartbeat, how it ended; jobs/<id>/out: its files, whole or not there

Importing a province's layer or searching a county takes minutes of Python; in a thread of the service it would hold the
interpreter that answers requests. A child that dies takes nothing with it but its own job.
"""
