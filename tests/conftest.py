"""What holds for all tests: timing is never asserted, so no example of a property-based test is too slow."""

from hypothesis import settings

settings.register_profile("grader", deadline=None, max_examples=60)
settings.load_profile("grader")
