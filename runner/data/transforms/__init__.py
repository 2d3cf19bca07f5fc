"""What a task's YAML may do to rows between loading and scoring; docs/transforms.md lists the steps.

`steps.py` has a row for each step, `parsing.py` checks what a YAML says of them before anything is loaded, `apply.py`
says which splits they need and runs them. The others hold the steps themselves, by what they work on.
"""
