"""A scene that became another: some objects gone, some back, some other than they were."""

import copy
from random import Random

from tests.lab.differential.clusters import CONDITIONS, POLICIES, Raw, Scene


def varied(dice: Random, whole: Scene) -> Scene:
    """What may be left of `whole`, which has every object that ever is; nodes and options stay."""
    made = copy.deepcopy(whole)
    made["objects"] = [one for one in made["objects"] if _stays(dice, one)]
    for one in made["objects"]:
        if one["kind"] == "Service":
            _other_policies(dice, one)
        elif one["kind"] == "EndpointSlice":
            one["endpoints"] = [_other(dice, entry) for entry in one["endpoints"] if _kept(dice)]
    return made


def _stays(dice: Random, one: Raw) -> bool:
    return one["kind"] == "Node" or _kept(dice)


def _kept(dice: Random) -> bool:
    return dice.randint(0, 4) > 0


def _other_policies(dice: Random, service: Raw) -> None:
    spec = service["spec"]
    if dice.randint(0, 2):
        return
    for key in ("internalTrafficPolicy", "externalTrafficPolicy"):
        spec.pop(key, None)
        policy = dice.choice(POLICIES)
        if policy and (key != "externalTrafficPolicy" or spec["type"] != "ClusterIP"):
            spec[key] = policy
    spec.pop("externalIPs", None)
    spec.pop("healthCheckNodePort", None)
    if spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
        spec["healthCheckNodePort"] = 31000 + int(service["metadata"]["name"].lstrip("s"))


def _other(dice: Random, entry: Raw) -> Raw:
    if dice.randint(0, 2) == 0:
        entry["conditions"] = dice.choice(CONDITIONS)
    if dice.randint(0, 3) == 0:
        entry.pop("hints", None)
    return entry
