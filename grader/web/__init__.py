"""`grader serve`: grading in a browser, on top of `grader.manual`.

    browser  --HTTP-->  uvicorn  -->  guards.py     hosts, headers, the size of what is sent
                                      login.py      who is it: one-time token, account, header of a proxy
                                      visit.py      one request: session, form, forgery, template
                                      *_pages.py    what is shown and done
                                      frames.py     what a student made, in sandboxed frames without scripts
                                      jobs.py       `grader regrade`, `grader similar`, as processes

Every page is made on the server and works as a plain form; `static/grading.js` adds the keyboard. Nothing is
loaded from another host.
"""
