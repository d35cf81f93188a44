"""What all tests share: on a slow or busy machine a property that holds, holds."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
