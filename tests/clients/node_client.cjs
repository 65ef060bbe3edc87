// Every call of toxiproxy-node-client, against the API at the URL that is the first argument; the
// second is the folder in which npm installed it.

const assert = require("node:assert/strict");
const net = require("node:net");
const { createRequire } = require("node:module");

const [url, folder] = process.argv.slice(2);
const { Toxiproxy } = createRequire(`${folder}/`)("toxiproxy-node-client");

/** Sends a message over a new connection, and gives what comes back. */
const exchange = (address) =>
  new Promise((resolve, reject) => {
    const [, host, port] = address.match(/^(.*):(\d+)$/);
    const socket = net.connect(Number(port), host, () => socket.write("hello"));
    socket.on("data", (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed")));
  });

const main = async () => {
  const echo = net.createServer((socket) => socket.pipe(socket).on("error", () => {}));
  await new Promise((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const upstream = `127.0.0.1:${echo.address().port}`;
  const toxiproxy = new Toxiproxy(url);
  assert.equal(await toxiproxy.getVersion(), '{"version": "2.12.0"}\n');
  for (const proxy of Object.values(await toxiproxy.getAll())) await proxy.remove();

  const proxy = await toxiproxy.createProxy({ name: "node", listen: "localhost:0", upstream });
  assert.equal(proxy.enabled, true);
  assert.match(proxy.listen, /^127\.0\.0\.1:[1-9]\d*$/);
  assert.equal(await exchange(proxy.listen), "hello");
  assert.deepEqual(proxy.toJson(), { enabled: true, listen: proxy.listen, name: "node", upstream });
  assert.deepEqual((await toxiproxy.get("node")).toJson(), proxy.toJson());
  assert.deepEqual(Object.keys(await toxiproxy.getAll()), ["node"]);
  await assert.rejects(toxiproxy.createProxy({ name: "node", listen: "localhost:0", upstream }), /status code 409/);
  await assert.rejects(toxiproxy.get("none"), /status code 404/);

  assert.equal((await proxy.update({ ...proxy.toJson(), enabled: false })).enabled, false);
  await assert.rejects(exchange(proxy.listen));
  const on = await proxy.update({ ...proxy.toJson(), enabled: true });
  assert.equal(on.listen, proxy.listen);
  assert.equal(await exchange(on.listen), "hello");

  const types = {
    latency: { latency: 20, jitter: 2 },
    bandwidth: { rate: 1000 },
    slow_close: { delay: 1 },
    timeout: { timeout: 1000 },
    reset_peer: { timeout: 1000 },
    slicer: { average_size: 10, size_variation: 1, delay: 1 },
    limit_data: { bytes: 100 },
  };
  for (const [type, attributes] of Object.entries(types)) {
    const toxic = await proxy.addToxic({ type, attributes });
    const whole = { attributes, name: `${type}_downstream`, stream: "downstream", toxicity: 1, type };
    assert.deepEqual(toxic.toJson(), whole);
    assert.deepEqual((await proxy.getToxic(toxic.name)).toJson(), whole);
    await toxic.remove();
    await assert.rejects(proxy.getToxic(toxic.name), /status code 404/);
  }
  const toxic = await proxy.addToxic({ name: "mine", type: "latency", stream: "upstream", toxicity: 0.5, attributes: types.latency });
  const updated = await toxic.update({ toxicity: 1, attributes: { latency: 30 } });
  assert.deepEqual(updated.attributes, { latency: 30, jitter: 2 });
  assert.equal(updated.toxicity, 1);
  await assert.rejects(proxy.addToxic({ type: "nonsense", attributes: {} }), /status code 400/);

  const populated = await toxiproxy.populate([
    { name: "node", listen: proxy.listen, upstream },
    { name: "other", listen: "localhost:0", upstream, enabled: false },
  ]);
  assert.deepEqual(Object.keys(populated), ["node", "other"]);
  assert.equal((await proxy.getToxic("mine")).stream, "upstream", "what is the same is left alone");
  await toxiproxy.reset();
  await assert.rejects(proxy.getToxic("mine"), /status code 404/);
  assert.equal((await toxiproxy.get("other")).enabled, true);
  await populated.other.remove();
  await proxy.remove();
  assert.deepEqual(await toxiproxy.getAll(), {});
  console.log("toxiproxy-node-client: every call answered as expected");
  process.exit(0);
};

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
