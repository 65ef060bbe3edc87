"""Loads and retained capacity under failure: `assize analyse` beside pyNTM, an independent model of
networks (https://pypi.org/project/pyNTM/).

    compare.py ASSIZE FOLDER

Three networks are generated, with users and services at places and costs under which no two ways are
equally long. Of each, every place, every link and every pair of these fail in both programs. Compared
are the load of every link with nothing failed, its worst case for one and for two failures, and how
many combinations leave some journey of some population less than its target of the demand.
"""

import contextlib
import io
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

from pyNTM import FlexModel, Node

TARGET = 0.8
SITES = 4
#: Relative; one program counts in millionths of a bit, the other in floating point.
NEAR = 1e-6


def network(seed, places, links):
    """Places, links (a, b, cost, bits per second), services by place, demands (place, service,
    bits per second there and back)."""
    draw = random.Random(seed)
    ends = [(draw.randrange(i), i) for i in range(1, places)]
    while len(ends) < links:
        pair = tuple(sorted(draw.sample(range(places), 2)))
        if pair not in ends:
            ends.append(pair)
    costs = draw.sample(range(1, 100_000), links)
    wide = [draw.choice([2_000_000, 4_000_000, 8_000_000]) for _ in range(links)]
    services = draw.sample(range(places), 3)
    # Users sit at sites of their own, each behind a line to a router.
    sites = range(places, places + SITES)
    for site, router in zip(sites, draw.sample(range(places), SITES)):
        ends.append((router, site))
        costs.append(1)
        wide.append(40_000_000)
    demands = [
        (site, service, 8_000 * draw.randrange(1, 45), 8_000 * draw.randrange(1, 45))
        for site in sites
        for service in range(3)
    ]
    return places + SITES, list(zip(ends, costs, wide)), services, demands


def topology(name, net):
    """The network as a topology: one attempt a second by one user is the whole demand."""
    places, links, services, demands = net
    text = [f"assize: topology/v1\nname: {name}\nnodes:"]
    kinds = ["router"] * (places - SITES) + ["site"] * SITES
    text += [f"  n{i}: {{kind: {kind}}}" for i, kind in enumerate(kinds)]
    text += ["links:"]
    text += [
        f"  l{i}: {{between: [n{b}, n{a}], cost: {cost}, bandwidth: {wide}bit/s}}"
        for i, ((a, b), cost, wide) in enumerate(links)
    ]
    text += ["services:"]
    text += [f"  s{i}: {{mode: single, replicas: {{a: {{at: n{at}}}}}}}" for i, at in enumerate(services)]
    text += ["populations:"]
    text += [f"  p{i}: {{at: {{n{d[0]}: 1}}, makes: {{j{i}: 3600/h}}}}" for i, d in enumerate(demands)]
    text += ["journeys:"]
    text += [
        f"  j{i}: {{calls: [s{s}], sends: {there // 8}B, receives: {back // 8}B}}"
        for i, (_, s, there, back) in enumerate(demands)
    ]
    text += [f"objectives: {{enough: {{retained_capacity: {TARGET:.0%}}}}}"]
    return "\n".join(text) + "\n"


def model(net):
    """The network in pyNTM."""
    places, links, services, demands = net
    made = FlexModel(set(), {Node(f"n{i}") for i in range(places)}, set(), set())
    for i, ((a, b), cost, wide) in enumerate(links):
        made.add_circuit(
            made.get_node_object(f"n{a}"),
            made.get_node_object(f"n{b}"),
            f"l{i}-{a}",
            f"l{i}-{b}",
            cost_intf_a=cost,
            cost_intf_b=cost,
            capacity=wide,
            circuit_id=str(i),
        )
    for i, (place, service, there, back) in enumerate(demands):
        at = services[service]
        made.add_demand(f"n{place}", f"n{at}", there, f"there-{i}")
        made.add_demand(f"n{at}", f"n{place}", back, f"back-{i}")
    quietly(made.update_simulation)
    return made


def quietly(work):
    """It tells on standard output what it does."""
    with contextlib.redirect_stdout(io.StringIO()):
        work()


def state(made, net, failed):
    """Loads of links as shares, and whether each demand keeps its target, when these fail."""
    places, links, services, demands = net
    for kind, i in failed:
        if kind == "n":
            made.fail_node(f"n{i}")
        else:
            made.fail_interface(f"l{i}-{links[i][0][0]}", f"n{links[i][0][0]}")
    quietly(made.update_simulation)
    loads = [0.0] * len(links)
    for interface in made.interface_objects:
        loads[int(interface.name[1:].split("-")[0])] += 0.0 if interface.failed else interface.traffic
    full = [load / links[i][2] for i, load in enumerate(loads)]
    kept = True
    for i, (place, service, _, _) in enumerate(demands):
        there = made.get_demand_object(f"n{place}", f"n{services[service]}", f"there-{i}")
        ways = there.path
        if ways == "Unrouted":
            kept = False
            continue
        assert len(ways) == 1, "two ways of one length"
        used = [int(step.name[1:].split("-")[0]) for step in ways[0]]
        share = min([1.0] + [1.0 / full[link] for link in used if full[link] > 1.0])
        kept &= share >= TARGET - 1e-9
    for kind, i in failed:
        if kind == "n":
            made.unfail_node(f"n{i}")
        else:
            made.unfail_interface(f"l{i}-{links[i][0][0]}", f"n{links[i][0][0]}")
    return full, kept


def compare(assize, folder, name, net):
    """Raises on the first difference; says what was compared."""
    places, links, services, demands = net
    file = folder / f"{name}.yaml"
    file.write_text(topology(name, net))
    args = [assize, "analyse", str(file), "--k", "2", "--format", "json"]
    report = json.loads(subprocess.run(args, check=True, capture_output=True).stdout)
    ours = {load["element"]: load for load in report["loads"]}
    made = model(net)
    failures = [("n", i) for i in range(places)] + [("l", i) for i in range(len(links))]
    rest, _ = state(made, net, [])
    checked = 0

    def same(what, mine, theirs):
        nonlocal checked
        checked += 1
        if abs(mine - theirs) > NEAR * max(1.0, theirs):
            raise SystemExit(f"{name}: {what}: assize has {mine}, pyNTM {theirs}")

    for i, share in enumerate(rest):
        same(f"l{i} at rest", ours[f"link/l{i}"]["at_rest"], share)
    replicas = len(services)
    for k in (1, 2):
        worst, missed = list(rest), 0
        for failed in itertools.combinations(failures, k):
            full, kept = state(made, net, failed)
            worst = [max(a, b) for a, b in zip(worst, full)]
            missed += not kept
        for i, share in enumerate(worst):
            load = ours[f"link/l{i}"]
            mine = [w["share"] for w in load["worst"] if w["k"] == k] or [load["at_rest"]]
            same(f"l{i} without {k}", mine[0], share)
        # A service that is gone itself takes its journeys with it, whatever else fails.
        with_service = replicas if k == 1 else replicas * len(failures) + replicas * (replicas - 1) // 2
        mine = report["sweep"][k - 1]["violating"]
        same(f"combinations of {k} that miss", mine, missed + with_service)
        print(f"    {name}: {missed} of {sum(1 for _ in itertools.combinations(failures, k))} "
              f"combinations of {k} leave too little, in both")
    print(f"    {name}: {checked} figures agree")


def main():
    assize, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed, places, links in (("sparse", 1, 8, 10), ("meshed", 2, 9, 16), ("large", 3, 14, 20)):
        compare(assize, folder, name, network(seed, places, links))


main()
