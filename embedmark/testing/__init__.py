"""Laws that every encoder, loader and task type keeps, to be called in tests of packages that add one.

Each check raises AssertionError with the law that is broken, what was found and what was expected.

Example:
    >>> from embedmark.testing import check_loader
    >>> def test_my_loader():
    ...     check_loader(MY_LOADER, ModelSpec("org/small", folder, loader="mine"))
"""

from embedmark.testing.models import check_encoder, check_loader
from embedmark.testing.tasks import check_task_type

__all__ = ["check_encoder", "check_loader", "check_task_type"]
