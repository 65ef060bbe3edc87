// Opens pages in a headless Chromium and looks at them as a reader would: at the width of a desk
// and of a telephone, in light and dark, and on paper. Fails on any request, console message,
// text that is cut off or lies over other text, page wider than its window, low contrast, or a
// first screen without the verdict and all targets. Pictures and PDFs go into the folder.
//
// First it looks at a page on which everything is wrong, and fails unless it sees that.
//
//   node look.cjs CHROMIUM PROFILE OUT NAME=PAGE...
'use strict';
const { spawn } = require('node:child_process');
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const [program, profile, out, ...pages] = process.argv.slice(2);
const SIZES = [[1280, 900], [390, 844]];
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-dev-shm-usage', '--hide-scrollbars', '--remote-debugging-pipe',
  `--user-data-dir=${profile}`];

/** Commands and events of DevTools over a pipe: JSON with a zero byte at its end. */
class Browser {
  constructor() {
    this.child = spawn(program, FLAGS, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.next = 1;
    this.waiting = new Map();
    this.heard = () => {};
    let rest = Buffer.alloc(0);
    this.child.stdio[4].on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        this.got(JSON.parse(rest.subarray(0, end).toString()));
        rest = rest.subarray(end + 1);
      }
    });
    this.child.on('exit', () => {
      for (const { no } of this.waiting.values()) no(new Error('the browser ended'));
    });
  }

  got(message) {
    const one = this.waiting.get(message.id);
    if (!one) return this.heard(message);
    this.waiting.delete(message.id);
    if (message.error) one.no(new Error(message.error.message));
    else one.yes(message.result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = this.next++;
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((yes, no) => this.waiting.set(id, { yes, no }));
  }
}

/** What is wrong with the page as it is laid out; runs in the page. */
function inspect(phone, height) {
  const wrong = [];
  const name = (e) => `${e.tagName.toLowerCase()}.${e.getAttribute('class') || ''} `
    + `"${(e.textContent || '').trim().slice(0, 50)}"`;
  const scroll = document.scrollingElement;
  if (scroll.scrollWidth > innerWidth + 1) {
    wrong.push(`the page is ${scroll.scrollWidth} wide in a window of ${innerWidth}`);
    for (const e of document.querySelectorAll('main *')) {
      if (e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll')) {
        wrong.push(`reaches out: ${name(e)}`);
        break;
      }
    }
  }
  // Pieces of text as they are painted.
  const boxes = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!node.data.trim()) continue;
    const parent = node.parentElement;
    if (!parent.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true })) continue;
    if (parent.closest('.skip, thead')) continue;
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) {
      if (r.width < 1 || r.height < 1) continue;
      boxes.push({ l: r.left, r: r.right, t: r.top + scrollY + 2, b: r.bottom + scrollY - 2, e: parent });
      const cut = parent.closest('.scroll') ? null : r;
      if (cut && (cut.left < -1 || cut.right > innerWidth + 1)) wrong.push(`cut off: ${name(parent)}`);
    }
    // A short word goes to the next line whole.
    const word = node.data.trim();
    if (/^[\w.,%]{1,14}$/.test(word) && range.getClientRects().length > 1) wrong.push(`split: ${name(parent)}`);
    const style = getComputedStyle(parent);
    if (style.textOverflow === 'ellipsis') wrong.push(`shortened: ${name(parent)}`);
    for (let e = parent; e; e = e.parentElement) {
      const s = getComputedStyle(e);
      if (s.overflowX !== 'hidden' && s.overflowX !== 'clip') continue;
      if (e.scrollWidth > e.clientWidth + 1) wrong.push(`clipped: ${name(e)}`);
    }
  }
  boxes.sort((a, b) => a.t - b.t);
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length && boxes[j].t < boxes[i].b; j++) {
      const [a, b] = [boxes[i], boxes[j]];
      if (a.e === b.e || a.e.contains(b.e) || b.e.contains(a.e)) continue;
      if (Math.min(a.r, b.r) - Math.max(a.l, b.l) > 1.5 && Math.min(a.b, b.b) - Math.max(a.t, b.t) > 1.5) {
        wrong.push(`overlap: ${name(a.e)} and ${name(b.e)}`);
      }
    }
  }
  // Text of a map stays in its box.
  for (const svg of document.querySelectorAll('svg.map')) {
    const whole = svg.viewBox.baseVal;
    for (const t of svg.querySelectorAll('text')) {
      const b = t.getBBox();
      if (b.x < 0 || b.x + b.width > whole.width || b.y + b.height > whole.height) {
        wrong.push(`leaves the map: ${name(t)}`);
      }
    }
    const rects = [...svg.querySelectorAll('rect.box')].map((r) => r.getBBox());
    for (const t of svg.querySelectorAll('text:not([text-anchor])')) {
      const b = t.getBBox();
      const own = rects.find((r) => b.x >= r.x && b.x < r.x + r.width && b.y >= r.y - 1 && b.y < r.y + r.height);
      if (!own || b.x + b.width > own.x + own.width) wrong.push(`leaves its box: ${name(t)}`);
    }
  }
  // Contrast of text, as WCAG counts it.
  const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const seen = new Set();
  for (const { e } of boxes) {
    if (e.closest('svg')) continue;
    const style = getComputedStyle(e);
    const key = `${style.color} ${ground(e)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const [a, b] = [light(rgb(style.color)), light(ground(e))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)}: ${name(e)}`);
  }
  for (const svg of document.querySelectorAll('svg:not([aria-hidden])')) {
    if (!svg.getAttribute('aria-label')) wrong.push(`a picture without text: ${name(svg)}`);
  }
  for (const e of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(e.getAttribute('href').slice(1))) wrong.push(`leads nowhere: ${name(e)}`);
  }
  const table = document.querySelector('#targets');
  const bottom = table ? Math.round(table.getBoundingClientRect().bottom + scrollY) : 0;
  const rows = table ? table.querySelectorAll('tbody tr').length : 0;
  const small = boxes.filter((x) => parseFloat(getComputedStyle(x.e).fontSize) < 11 && !x.e.closest('svg'));
  if (small.length) wrong.push(`too small: ${name(small[0].e)}`);
  // Of up to 20 targets, all stand on the first screen of a telephone.
  if (phone && rows > 0 && rows <= 20 && bottom > height) {
    wrong.push(`the ${rows} targets end at ${bottom}, below the first screen of ${height}`);
  }
  return { wrong: [...new Set(wrong)].slice(0, 20), rows, bottom, texts: boxes.length };
}

async function look(browser, name, file) {
  const url = pathToFileURL(path.resolve(file)).href;
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
  const send = (method, params) => browser.send(method, params, sessionId);
  const wrong = [];
  let loaded = () => {};
  browser.heard = ({ method, params }) => {
    if (method === 'Page.loadEventFired') loaded();
    if (method === 'Network.requestWillBeSent' && params.request.url !== url) {
      wrong.push(`${name}: asks for ${params.request.url}`);
    }
    if (method === 'Runtime.exceptionThrown') wrong.push(`${name}: ${params.exceptionDetails.text}`);
    if (method === 'Runtime.consoleAPICalled') wrong.push(`${name}: console.${params.type}`);
    if (method === 'Log.entryAdded') wrong.push(`${name}: ${params.entry.text}`);
  };
  for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await send(`${domain}.enable`);
  for (const scheme of ['light', 'dark']) {
    for (const [width, height] of SIZES) {
      const view = `${name}-${width}-${scheme}`;
      const phone = width < 640;
      const metrics = { width, height, deviceScaleFactor: 1, mobile: phone };
      await send('Emulation.setDeviceMetricsOverride', metrics);
      const features = [{ name: 'prefers-color-scheme', value: scheme }];
      await send('Emulation.setEmulatedMedia', { features });
      const ready = new Promise((yes) => { loaded = yes; });
      const begun = Date.now();
      await send('Page.navigate', { url });
      await ready;
      const took = Date.now() - begun;
      const expression = `(${inspect})(${phone}, ${height})`;
      const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      const seen = result.value;
      wrong.push(...seen.wrong.map((text) => `${view}: ${text}`));
      const first = await send('Page.captureScreenshot', { format: 'png' });
      writeFileSync(path.join(out, `${view}.png`), Buffer.from(first.data, 'base64'));
      const { cssContentSize } = await send('Page.getLayoutMetrics');
      const clip = { x: 0, y: 0, width, height: Math.min(cssContentSize.height, 15000), scale: 1 };
      const whole = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip });
      writeFileSync(path.join(out, `${view}-whole.png`), Buffer.from(whole.data, 'base64'));
      console.log(`    ${view}: ${seen.texts} texts, ${seen.rows} targets down to ${seen.bottom}, loaded in ${took} ms`);
    }
  }
  await send('Emulation.clearDeviceMetricsOverride');
  const { data } = await send('Page.printToPDF', { printBackground: true, preferCSSPageSize: true, paperWidth: 8.27, paperHeight: 11.69 });
  writeFileSync(path.join(out, `${name}.pdf`), Buffer.from(data, 'base64'));
  await browser.send('Target.closeTarget', { targetId });
  return wrong;
}

/** What must be found on the page on which everything is wrong. */
const CANARY = ['asks for', 'console.error', 'wide in a window', 'cut off', 'overlap', 'contrast',
  'clipped', 'split', 'too small', 'a picture without text', 'leads nowhere'];

async function main() {
  const browser = new Browser();
  const wrong = [];
  try {
    const found = await look(browser, 'canary', path.join(__dirname, 'canary.html'));
    for (const text of CANARY) {
      if (!found.some((one) => one.includes(text))) wrong.push(`this check does not see: ${text}`);
    }
    for (const page of pages) {
      const at = page.indexOf('=');
      const [name, file] = [page.slice(0, at), page.slice(at + 1)];
      if (!readFileSync(file, 'utf8').startsWith('<!DOCTYPE html>')) throw new Error(`${file} is no page`);
      wrong.push(...await look(browser, name, file));
    }
  } finally {
    browser.child.kill();
  }
  for (const text of wrong) console.error(text);
  process.exitCode = wrong.length ? 1 : 0;
}
main().catch((error) => { console.error(error.stack); process.exit(1); });
