"""Every call of toxiproxy-python, against the API at HOST and PORT (the two arguments)."""

import socket
import sys
import time

from toxiproxy import Toxiproxy
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists
from upstream import exchange, serve

host, port = sys.argv[1], int(sys.argv[2])
upstream = f"127.0.0.1:{serve()}"
server = Toxiproxy()
server.update_api_consumer(host, port)


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as refusal:
        return str(refusal)
    raise AssertionError(f"{call.__name__} is not refused with {error.__name__}")


def connects(address):
    try:
        exchange(address)
        return True
    except OSError:
        return False


assert server.running() is True
assert server.version() == b'{"version": "2.12.0"}\n', server.version()
server.destroy_all()
assert server.proxies() == {}
assert server.get_proxy("none") is None

# create: with and without an address, enabled and not
first = server.create(upstream=upstream, name="first")
assert first.enabled is True and first.listen.startswith("127.0.0.1:") and first.upstream == upstream
assert exchange(first.listen) == b"hello"
off = server.create(upstream=upstream, name="off", listen="127.0.0.1:0", enabled=False)
assert off.enabled is False
assert "already exists" in refused(ProxyExists, server.create, upstream=upstream, name="first")
assert list(server.proxies()) == ["first", "off"], "in the order of their names"
assert server.get_proxy("first").listen == first.listen

# enable, disable, down
off.enable()
assert server.get_proxy("off").enabled is True
off.disable()
assert server.get_proxy("off").enabled is False
with first.down():
    assert not connects(first.listen)
assert connects(first.listen), "on the same address"

# toxics: all types of the original, defaults and given values
first.add_toxic(type="latency", attributes={"latency": 200, "jitter": 0})
toxic = first.get_toxic("latency_downstream")
assert (toxic.type, toxic.stream, toxic.toxicity) == ("latency", "downstream", 1)
assert toxic.attributes == {"latency": 200, "jitter": 0}
begun = time.monotonic()
assert exchange(first.listen) == b"hello"
assert 0.19 <= time.monotonic() - begun < 2, "about the latency"
for kind, attributes in {
    "bandwidth": {"rate": 1000},
    "slow_close": {"delay": 1},
    "timeout": {"timeout": 1},
    "reset_peer": {"timeout": 1},
    "slicer": {"average_size": 10, "size_variation": 2, "delay": 1},
    "limit_data": {"bytes": 100},
}.items():
    first.add_toxic(name=f"my_{kind}", type=kind, stream="upstream", toxicity=0.5, attributes=attributes)
    toxic = first.get_toxic(f"my_{kind}")
    assert toxic.attributes == attributes and toxic.toxicity == 0.5 and toxic.stream == "upstream"
assert list(first.toxics())[-1] == "latency_downstream", "upstream first"
assert first.get_toxic("none") is None
refused(ProxyExists, first.add_toxic, type="latency")
refused(InvalidToxic, first.add_toxic, type="nonsense")
refused(InvalidToxic, first.add_toxic, type="latency", stream="sideways")
assert first.destroy_toxic("my_slicer") is True
refused(NotFound, first.destroy_toxic, "my_slicer")

# reset
off.disable()
assert server.reset() is True
assert first.toxics() == {} and server.get_proxy("off").enabled is True

# populate: what is the same stays, what is not is made
listen = server.get_proxy("first").listen
populated = server.populate(
    [
        {"name": "first", "listen": listen, "upstream": upstream},
        {"name": "third", "listen": "127.0.0.1:0", "upstream": upstream},
    ]
)
assert [proxy.name for proxy in populated] == ["third"]
assert exchange(populated[0].listen) == b"hello"

# destroy
assert server.destroy(populated[0]) is True
assert server.destroy("no proxy") is False
refused(NotFound, populated[0].destroy)
server.destroy_all()
assert server.proxies() == {}
assert socket.create_connection((host, port)).close() is None
print("toxiproxy-python: every call answered as expected")
