// Pages with phones in a headless Chromium, told what to do by lines of JSON: a command comes in, its answer goes out.
//
// node browser.mjs '{"chromium": "/usr/bin/chromium", "port": 8000, "folder": "", "arguments": []}'
//   {"do": "open", "page": "alice", "origin": "http://127.0.0.1:8000"}
//   {"do": "run", "page": "alice", "what": "call", "with": ["sip:bob@example.com"]}
//   {"do": "fill", "page": "alice", "where": "#number", "text": "1002"}
//   {"do": "click", "page": "alice", "where": "#call"}
//   {"do": "read", "page": "alice", "where": "#state"}
//   {"do": "close", "page": "alice"}
// With a folder its phone.js and index.html are served in place of our own page.
// It ends with its input.

import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { chromium } from "playwright-core"

const settings = JSON.parse(process.argv[2])
const here = fileURLToPath(new URL(".", import.meta.url))
const { folder } = settings
const bundle = await build({
  entryPoints: [folder ? join(folder, "phone.js") : join(here, "page.js")],
  nodePaths: [join(here, "node_modules")],
  bundle: true,
  write: false,
  logLevel: "error",
})
const script = bundle.outputFiles[0].text
const html = folder
  ? await readFile(join(folder, "index.html"), "utf-8")
  : '<!doctype html><meta charset="utf-8"><title>phone</title><script src="bundle.js"></script>'

const server = createServer((request, response) => {
  const isScript = request.url === "/bundle.js"
  response.writeHead(200, { "Content-Type": isScript ? "text/javascript" : "text/html" })
  response.end(isScript ? script : html)
})
await new Promise((resolve) => server.listen(settings.port, "127.0.0.1", resolve))

const browser = await chromium.launch({
  executablePath: settings.chromium,
  headless: true,
  timeout: 30_000,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream", "--disable-features=WebRtcHideLocalIpsWithMdns", ...settings.arguments,
  ],
})
const pages = new Map()

const commands = {
  // Each page has a context of its own, as if it were another person's browser.
  async open({ page, origin }) {
    const context = await browser.newContext()
    const made = await context.newPage()
    made.setDefaultTimeout(10_000)
    await made.goto(origin)
    pages.set(page, made)
  },
  run: ({ page, what, with: given }) =>
    pages.get(page).evaluate(([name, values]) => window.phone[name](...values), [what, given ?? []]),
  fill: ({ page, where, text }) => pages.get(page).fill(where, text),
  click: ({ page, where }) => pages.get(page).click(where),
  read: ({ page, where }) => pages.get(page).textContent(where),
  async close({ page }) {
    await pages.get(page).close({ runBeforeUnload: false })
    pages.delete(page)
  },
}

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)
say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  try {
    say({ result: (await commands[command.do](command)) ?? null })
  } catch (error) {
    say({ error: String(error) })
  }
}
await browser.close()
server.close()
