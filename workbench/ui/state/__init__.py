"""What the pages ask and order, without a page: plain Python over the store and the workers, tested without a browser.

    jobs.py       long work: hand in, follow, stop, and what became of it
    projects.py   the list of projects: open a file or a sample, rename, duplicate, throw away and take back
    reading.py    a file becomes a table, in a worker
    plan.py       what a person chose on the page Data
    data.py       the page Data: columns, plan, what will be fitted
    shelf.py      stored values that never change, at hand
"""
