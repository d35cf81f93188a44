"""Which services of Schema-Guided Dialogue its training dialogues use, and which are new after that."""

import random
from collections.abc import Sequence

from companion.corpora.sgd import Dialogue

TRAINED = (
    *("Banks_1", "Buses_1", "Buses_2", "Calendar_1", "Events_1", "Events_2", "Flights_1"),
    *("Flights_2", "Homes_1", "Hotels_1", "Hotels_2", "Hotels_3", "Media_1", "Movies_1"),
    *("Music_1", "Music_2", "RentalCars_1", "RentalCars_2", "Restaurants_1", "RideSharing_1"),
    *("RideSharing_2", "Services_1", "Services_2", "Services_3", "Travel_1", "Weather_1"),
)


def seen_and_new(
    dialogues: Sequence[Dialogue], seed: int = 0
) -> tuple[list[Dialogue], list[Dialogue]]:
    """Shuffle dialogues, and tell those whose services were all trained on from the others."""
    mixed = list(dialogues)
    random.Random(seed).shuffle(mixed)  # noqa: S311
    seen = [one for one in mixed if set(one.services) <= set(TRAINED)]
    return seen, [one for one in mixed if not set(one.services) <= set(TRAINED)]
