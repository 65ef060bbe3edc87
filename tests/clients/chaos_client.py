"""Every activity of chaostoolkit-toxiproxy, run as an experiment by the Chaos Toolkit's own
command against the API at HOST and PORT (the first two arguments); the third is a folder to
write in."""

import json
import pathlib
import subprocess
import sys

from upstream import serve

host, port, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
upstream = serve()
folder.mkdir(parents=True, exist_ok=True)


def activity(kind, module, func, tolerance=None, **arguments):
    name = "-".join([func, *map(str, arguments.values())])
    provider = {"type": "python", "module": f"chaostoxi.{module}", "func": func, "arguments": arguments}
    one = {"type": kind, "name": name, "provider": provider}
    return one if tolerance is None else one | {"tolerance": tolerance}


def action(module, func, **arguments):
    return activity("action", f"{module}.actions", func, **arguments)


def attribute(name, expected, proxy="db"):
    return activity("probe", "proxy.probes", "get_proxy_attribute", expected, proxy_name=proxy, attribute=name)


target = {"for_proxy": "db"}
method = [
    action("proxy", "create_proxy", proxy_name="db", upstream_host="127.0.0.1", upstream_port=upstream),
    action("proxy", "create_proxy", proxy_name="off", upstream_host="127.0.0.1", upstream_port=upstream,
           listen_host="127.0.0.1", listen_port=0, enabled=False),
    activity("probe", "proxy.probes", "proxy_exist", True, proxy_name="db"),
    activity("probe", "proxy.probes", "proxy_exist", False, proxy_name="none"),
    attribute("enabled", True),
    attribute("enabled", False, "off"),
    action("proxy", "disable_proxy", proxy_name="db"),
    action("proxy", "enable_proxy", proxy_name="db"),
    action("proxy", "modify_proxy", proxy_name="db", upstream_address=f"localhost:{upstream}"),
    action("proxy", "modify_proxy", proxy_name="db", listen_address="127.0.0.1:0", enabled=True),
    action("toxic", "create_toxic", **target, toxic_name="any", toxic_type="timeout", stream="upstream",
           toxicity=0.5, attributes={"timeout": 1000}),
    action("toxic", "create_toxic", **target, toxic_name="bare", toxic_type="latency"),
    action("toxic", "create_latency_toxic", **target, toxic_name="latency", latency=10, jitter=1),
    action("toxic", "create_bandwith_degradation_toxic", **target, toxic_name="bandwidth", rate=100),
    action("toxic", "create_slow_connection_close_toxic", **target, toxic_name="close", delay=10),
    action("toxic", "create_timeout_toxic", **target, toxic_name="timeout", timeout=10),
    action("toxic", "create_slicer_toxic", **target, toxic_name="slicer", average_size=10,
           size_variation=1, delay=1),
    action("toxic", "create_limiter_toxic", **target, toxic_name="limit", bytes_limit=1000),
    action("toxic", "delete_toxic", **target, toxic_name="latency"),
    action("proxy", "reset"),
    attribute("enabled", True, "off"),
    action("proxy", "delete_proxy", proxy_name="off"),
    activity("probe", "proxy.probes", "proxy_exist", False, proxy_name="off"),
]
experiment = {
    "title": "Every activity of chaostoolkit-toxiproxy",
    "description": "Nothing is tested but that each is answered as it expects",
    "configuration": {"toxiproxy_host": host, "toxiproxy_port": port},
    "method": method,
    "rollbacks": [action("proxy", "delete_proxy", proxy_name="db")],
}
file, journal = folder / "experiment.json", folder / "journal.json"
file.write_text(json.dumps(experiment))
chaos = pathlib.Path(sys.executable).parent / "chaos"
command = [chaos, "--no-version-check", "--log-file", folder / "chaos.log", "run", "--journal-path", journal, file]
ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"})
assert ran.returncode == 0, ran.stdout + ran.stderr
written = json.loads(journal.read_text())
assert written["status"] == "completed" and not written["deviated"], written["status"]
assert len(written["run"]) == len(method)
for step in written["run"] + written["rollbacks"]:
    name = step["activity"]["name"]
    assert step["status"] == "succeeded", (name, step)
    expected = step["activity"].get("tolerance")
    if expected is not None:
        assert step["output"] == expected, (name, step["output"])
    elif step["activity"]["provider"]["func"] != "delete_proxy":
        assert step["output"] is True, (name, step["output"])
print(f"chaostoolkit-toxiproxy: {len(method)} activities succeeded")
